-- All scores of all runs, with the run that each is from. Order by seq for a history: a view that
-- sorts would make every sum over it wait for that.
-- grain: run_id, task, metric, slice
-- columns: entry, version, suite, task, metric, slice, value, stderr, n, higher_is_better, run_id, status, dataset, dataset_digest, harness, code, actor, time, seq
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
    r.dataset_digest,
    r.harness,
    r.code,
    s.actor,
    s.time,
    s.seq
FROM eval_scores AS s
JOIN eval_runs AS r
    ON
        s.run_id = r.run_id
        AND s.entry_id = r.entry_id
        AND s.entry = r.entry
        AND s.version = r.version
        AND s.suite = r.suite
