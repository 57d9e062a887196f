-- Entries ranked by each metric, with one version each: the newest whose latest run is complete
-- and has the metric, or the one that a stage holds. Deleted and archived versions are left out.
-- direction says where higher_is_better comes from: recorded, assumed (nobody says it), or mixed
-- (they disagree, and higher was taken).
-- grain: suite, task, metric, entry
-- columns: suite, task, metric, slice, rank, ranked, entry, kind, version, stages, value, stderr, n, higher_is_better, direction, dataset, datasets, run_id, time, seq
-- parameters: kind (entries of this kind; null for all), suite (only this one; null for all), metric (only this one; null for all), task (only this one; null for all), slice (which slice; '' for all of the data), stage (only what this stage holds; null for the newest version), limit (at most so many ranks of each metric)
SELECT
    suite, task, metric, slice,
    rank() OVER (
        PARTITION BY suite, task, metric ORDER BY CASE WHEN higher THEN -value ELSE value END
    ) AS rank,
    ranked, entry, kind, version, stages, value, stderr, n, higher AS higher_is_better, direction,
    dataset, datasets, run_id, time, seq
FROM (
    SELECT *,
        coalesce(bool_or(higher_is_better) OVER same, true) AS higher,
        CASE
            WHEN bool_or(higher_is_better) OVER same IS NULL THEN 'assumed'
            WHEN bool_or(higher_is_better) OVER same <> bool_and(higher_is_better) OVER same
                THEN 'mixed'
            ELSE 'recorded'
        END AS direction,
        count(*) OVER same AS ranked,
        count(DISTINCT coalesce(dataset, '')) OVER same AS datasets
    FROM (
        SELECT l.*, e.kind, coalesce(held.stages, '') AS stages
        FROM latest_scores AS l
        JOIN entries AS e ON e.entry = l.entry
        LEFT JOIN (
            SELECT entry, version, string_agg(stage, ', ' ORDER BY stage) AS stages,
                bool_or(stage = $stage) AS wanted
            FROM current_stages
            GROUP BY entry, version
        ) AS held ON held.entry = l.entry AND held.version = l.version
        ANTI JOIN (
            SELECT entry, version
            FROM statuses
            QUALIFY row_number() OVER (PARTITION BY entry, version ORDER BY seq DESC, i DESC) = 1
                AND status IN ('deleted', 'archived')
        ) AS gone ON gone.entry = l.entry AND gone.version = l.version
        WHERE l.status = 'complete'
            AND isfinite(l.value)
            AND l.slice = $slice
            AND ($kind::VARCHAR IS NULL OR e.kind = $kind)
            AND ($suite::VARCHAR IS NULL OR l.suite = $suite)
            AND ($metric::VARCHAR IS NULL OR l.metric = $metric)
            AND ($task::VARCHAR IS NULL OR l.task = $task)
            AND ($stage::VARCHAR IS NULL OR held.wanted)
        QUALIFY row_number() OVER (
            PARTITION BY l.entry, l.suite, l.task, l.metric ORDER BY l.version DESC
        ) = 1
    )
    WINDOW same AS (PARTITION BY suite, task, metric)
)
QUALIFY rank <= $limit
ORDER BY suite, task, metric, rank, entry
