-- What happened to entries and to the policy, one line per event.
-- grain: seq, i, event
-- columns: seq, i, time, actor, entry_id, entry, event, version, detail
SELECT seq, i, time, actor, entry_id, entry, 'created' AS event, NULL::INTEGER AS version, kind AS detail
FROM entries
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry, 'registered', version,
    digest[:12] || coalesce(', label ' || label, '')
FROM versions
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry,
    CASE action
        WHEN 'register' THEN 'placed'
        WHEN 'promote' THEN 'promoted'
        WHEN 'rollback' THEN 'rolled back'
        WHEN 'demote' THEN 'demoted'
        ELSE action
    END,
    coalesce(to_version, from_version),
    stage || ': ' || coalesce(from_version::VARCHAR, 'empty') || ' -> '
    || coalesce(to_version::VARCHAR, 'empty') || coalesce(', ' || reason, '')
FROM placements
UNION ALL
SELECT
    d.seq, d.i, d.time, d.actor, d.entry_id, d.entry, 'refused', d.version,
    d.op || ' to ' || d.stage || coalesce(': ' || v.gates, '')
FROM decisions AS d
LEFT JOIN (
    SELECT
        seq, entry_id, version, stage,
        string_agg(gate || ' ' || status, ', ' ORDER BY i) AS gates
    FROM verdicts
    WHERE status IN ('failed', 'undecidable')
    GROUP BY seq, entry_id, version, stage
) AS v
    ON
        v.seq = d.seq
        AND v.entry_id = d.entry_id
        AND v.version = d.version
        AND v.stage = d.stage
WHERE d.outcome = 'refused'
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry, 'evaluated', version,
    suite || ': ' || status || ', ' || scores || ' scores, ' || samples || ' samples'
FROM eval_runs
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry,
    CASE status WHEN 'active' THEN 'restored' ELSE status END, version,
    coalesce(reason, '') || CASE WHEN purge THEN ' (purged)' ELSE '' END
FROM statuses
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry, 'aliased', coalesce(version, from_version),
    alias || ': ' || coalesce(from_version::VARCHAR, 'none') || ' -> '
    || coalesce(version::VARCHAR, 'none')
FROM aliases
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry, 'tagged', version,
    CASE WHEN value IS NULL THEN 'removed ' || key ELSE key || '=' || value[:200] END
FROM tags
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'renamed', NULL, 'from ' || from_name
FROM names
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry, 'described', version,
    coalesce(description[:200], description_digest[:12], '')
FROM descriptions
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry, 'drilled', from_version,
    stage || ': back to ' || coalesce(to_version::VARCHAR, 'none')
    || CASE WHEN ok THEN ', ok' ELSE ', failed' END || coalesce(', ' || detail, '')
FROM drills
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry, 'approved', version,
    coalesce('for ' || stage, 'policy ' || version_digest[:12]) || coalesce(': ' || meaning, '')
FROM approvals
UNION ALL
SELECT
    seq, i, time, actor, entry_id, entry, 'waived', version,
    gate || ' for ' || stage || coalesce(': ' || reason, '')
FROM waivers
UNION ALL
SELECT
    seq, i, time, actor, NULL, NULL, 'policy applied', NULL,
    digest[:12] || coalesce(', ' || reason, '')
FROM policies
