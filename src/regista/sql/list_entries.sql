-- Entries with what matters most about them.
-- grain: entry
-- columns: name, kind, versions, latest_version, stages, created, updated
-- parameters: kind (only this kind; null for all), pattern (only names that match this glob; null for all), limit (at most so many)
SELECT
    e.entry AS name,
    e.kind,
    coalesce(v.versions, 0) AS versions,
    v.latest_version,
    coalesce(s.stages, MAP {}) AS stages,
    e.time AS created,
    greatest(e.time, v.updated, s.updated) AS updated
FROM entries AS e
LEFT JOIN (
    SELECT
        v.entry_id,
        count(*) AS versions,
        max(v.version) AS latest_version,
        max(v.time) AS updated
    FROM versions AS v
    ANTI JOIN (
        SELECT entry_id, version
        FROM statuses
        QUALIFY row_number() OVER (PARTITION BY entry_id, version ORDER BY seq DESC, i DESC) = 1
            AND status = 'deleted'
    ) AS gone ON gone.entry_id = v.entry_id AND gone.version = v.version
    GROUP BY v.entry_id
) AS v ON v.entry_id = e.entry_id
LEFT JOIN (
    SELECT
        entry,
        map_from_entries(list((stage, version) ORDER BY stage)) AS stages,
        max(since) AS updated
    FROM current_stages
    GROUP BY entry
) AS s ON s.entry = e.entry
WHERE ($kind::VARCHAR IS NULL OR e.kind = $kind)
    AND ($pattern::VARCHAR IS NULL OR e.entry GLOB $pattern)
ORDER BY e.entry
LIMIT $limit
