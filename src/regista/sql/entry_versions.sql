-- Versions of one entry, the newest first, deleted ones included.
-- grain: version
-- columns: version, label, status, stages, aliases, digest, files, bytes, uri, run, code, time, actor, seq
-- parameters: entry_id (of which entry), limit (at most so many)
SELECT
    v.version,
    v.label,
    coalesce(t.status, 'active') AS status,
    s.stages,
    a.aliases,
    v.digest,
    v.files,
    v.bytes,
    v.uri,
    v.run,
    v.code,
    v.time,
    v.actor,
    v.seq
FROM versions AS v
LEFT JOIN (
    SELECT version, status
    FROM statuses
    WHERE entry_id = $entry_id
    QUALIFY row_number() OVER (PARTITION BY version ORDER BY seq DESC, i DESC) = 1
) AS t ON t.version = v.version
LEFT JOIN (
    SELECT to_version, string_agg(stage, ', ' ORDER BY stage) AS stages
    FROM (
        SELECT stage, to_version
        FROM placements
        WHERE entry_id = $entry_id
        QUALIFY row_number() OVER (PARTITION BY stage ORDER BY seq DESC, i DESC) = 1
    )
    GROUP BY to_version
) AS s ON s.to_version = v.version
LEFT JOIN (
    SELECT version, string_agg(alias, ', ' ORDER BY alias) AS aliases
    FROM (
        SELECT alias, version
        FROM aliases
        WHERE entry_id = $entry_id
        QUALIFY row_number() OVER (PARTITION BY alias ORDER BY seq DESC, i DESC) = 1
    )
    GROUP BY version
) AS a ON a.version = v.version
WHERE v.entry_id = $entry_id
ORDER BY v.version DESC
LIMIT $limit
