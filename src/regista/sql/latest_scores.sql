-- The scores that count: those of the latest run of each suite for each version, whatever became
-- of the run.
-- grain: entry, version, suite, task, metric, slice
-- columns: entry, version, suite, task, metric, slice, value, stderr, n, higher_is_better, run_id, status, dataset, actor, time, seq
SELECT
    s.entry,
    s.version,
    s.suite,
    s.task,
    s.metric,
    s.slice,
    s.value,
    s.stderr,
    s.n,
    s.higher_is_better,
    s.run_id,
    r.status,
    r.dataset,
    r.actor,
    r.time,
    r.seq
FROM eval_scores AS s
JOIN (
    SELECT entry_id, entry, version, suite, run_id, status, dataset, actor, time, seq
    FROM eval_runs
    QUALIFY
        row_number() OVER (
            PARTITION BY entry_id, entry, version, suite ORDER BY seq DESC, i DESC
        ) = 1
) AS r
    -- the run's id alone would do; with the others a filter on any of them reaches the files
    ON
        s.run_id = r.run_id
        AND s.entry_id = r.entry_id
        AND s.entry = r.entry
        AND s.version = r.version
        AND s.suite = r.suite
