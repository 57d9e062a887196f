-- What happened to one entry, the latest first.
-- grain: seq, i, event
-- columns: seq, time, actor, event, version, detail
-- parameters: entry_id (of which entry), limit (at most so many)
SELECT seq, time, actor, event, version, detail
FROM events
WHERE entry_id = $entry_id
ORDER BY seq DESC, i DESC
LIMIT $limit
