-- Versions ranked by each metric over all of the data, from their latest complete run.
-- Rank 1 is best: the highest value, or the lowest where the scores say that lower is better.
-- Deleted versions are left out. Runs on different datasets share a ranking; dataset tells them
-- apart.
-- grain: suite, task, metric, entry, version
-- columns: suite, task, metric, rank, entry, version, value, stderr, n, higher_is_better, stages, dataset, run_id, time, seq
SELECT
    suite,
    task,
    metric,
    rank() OVER (
        PARTITION BY suite, task, metric ORDER BY CASE WHEN higher THEN -value ELSE value END
    ) AS rank,
    entry,
    version,
    value,
    stderr,
    n,
    higher AS higher_is_better,
    stages,
    dataset,
    run_id,
    time,
    seq
FROM (
    SELECT
        l.*,
        coalesce(bool_or(l.higher_is_better) OVER (PARTITION BY l.suite, l.task, l.metric), true)
            AS higher,
        held.stages
    FROM latest_scores AS l
    LEFT JOIN (
        SELECT entry, version, string_agg(stage, ', ' ORDER BY stage) AS stages
        FROM current_stages
        GROUP BY entry, version
    ) AS held ON held.entry = l.entry AND held.version = l.version
    ANTI JOIN (
        SELECT entry, version
        FROM statuses
        QUALIFY row_number() OVER (PARTITION BY entry, version ORDER BY seq DESC, i DESC) = 1
            AND status = 'deleted'
    ) AS gone ON gone.entry = l.entry AND gone.version = l.version
    WHERE l.slice = '' AND l.status = 'complete'
)
