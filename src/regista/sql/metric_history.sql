-- One metric of one entry in each version's latest run of a suite, the oldest version first.
-- grain: version, suite, task, slice
-- columns: version, suite, task, metric, slice, value, stderr, n, higher_is_better, status, dataset, run_id, time, seq
-- parameters: entry (of which entry), metric (which one; null for all), suite (only this one; null for all), slice (which slice; '' for all of the data), limit (at most so many versions)
SELECT
    version, suite, task, metric, slice, value, stderr, n, higher_is_better, status, dataset,
    run_id, time, seq
FROM latest_scores
WHERE entry = $entry
    AND slice = $slice
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
QUALIFY dense_rank() OVER (ORDER BY version DESC) <= $limit
ORDER BY suite, task, metric, version
