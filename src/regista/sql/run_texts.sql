-- Where the inputs and outputs of a run's examples are kept.
-- grain: run_id
-- columns: texts_digest
-- parameters: entry (of which entry), version (of which version), run_id (of which run)
SELECT texts_digest
FROM eval_runs
WHERE entry = $entry AND version = $version AND run_id = $run_id
