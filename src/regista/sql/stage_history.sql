-- Every time that a stage held a version, from when until when.
-- grain: entry, stage, seq of the placement that began it
-- columns: entry, stage, version, since, until, by, action, reason, ended_by, ended_action, seq, until_seq
SELECT entry, stage, version, since, until, "by", action, reason, ended_by, ended_action, seq, until_seq
FROM (
    SELECT
        entry,
        stage,
        to_version AS version,
        time AS since,
        lead(time) OVER changes AS until,
        actor AS "by",
        action,
        reason,
        lead(actor) OVER changes AS ended_by,
        lead(action) OVER changes AS ended_action,
        seq,
        lead(seq) OVER changes AS until_seq
    FROM placements
    WINDOW changes AS (PARTITION BY entry_id, entry, stage ORDER BY seq, i)
)
WHERE version IS NOT NULL
