-- Scores of one version's latest run of each suite, all tasks and slices.
-- grain: suite, task, metric, slice
-- columns: suite, run_id, task, metric, slice, value, stderr, n, higher_is_better
-- parameters: entry (of which entry), version (of which version)
SELECT suite, run_id, task, metric, slice, value, stderr, n, higher_is_better
FROM latest_scores
WHERE entry = $entry AND version = $version
ORDER BY suite, task, metric, slice
