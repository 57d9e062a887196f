-- What each stage holds now.
-- grain: entry, stage; only stages that hold a version
-- columns: entry, kind, stage, version, since, by, seq, digest
SELECT
    p.entry,
    e.kind,
    p.stage,
    p.to_version AS version,
    p.time AS since,
    p.actor AS "by",
    p.seq,
    v.digest
FROM (
    SELECT entry_id, entry, stage, to_version, time, actor, seq
    FROM placements
    -- entry follows from entry_id; with it in the partition a filter on it reaches the files
    QUALIFY row_number() OVER (PARTITION BY entry_id, entry, stage ORDER BY seq DESC, i DESC) = 1
) AS p
JOIN entries AS e ON e.entry_id = p.entry_id AND e.entry = p.entry
LEFT JOIN versions AS v
    ON v.entry_id = p.entry_id AND v.entry = p.entry AND v.version = p.to_version
WHERE p.to_version IS NOT NULL
