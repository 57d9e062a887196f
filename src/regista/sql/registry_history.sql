-- What happened in the registry, the latest first.
-- grain: seq, i, event
-- columns: seq, time, actor, entry, event, version, detail
-- parameters: limit (at most so many)
SELECT seq, time, actor, entry, event, version, detail
FROM events
ORDER BY seq DESC, i DESC
LIMIT $limit
