-- Per-example results of one run, by example. Failed ones are those that did not pass, or where
-- that is not said, whose value is 0.
-- grain: task, sample_id, metric
-- columns: suite, run_id, task, sample_id, metric, value, passed, slices, latency_s, cost_usd, tokens_in, tokens_out
-- parameters: entry (of which entry), version (of which version), run_id (of which run), metric (only this one; null for all), failed (whether failed ones alone), limit (at most so many)
SELECT
    suite, run_id, task, sample_id, metric, value, passed, slices, latency_s, cost_usd, tokens_in,
    tokens_out
FROM eval_samples
WHERE entry = $entry
    AND version = $version
    AND run_id = $run_id
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
    AND (NOT $failed::BOOLEAN OR NOT coalesce(passed, value <> 0))
ORDER BY task, sample_id, metric
LIMIT $limit
