/* The views of Regista in SQLite's SQL. A test holds each to the rows of regista/sql's own. */
(function () {
  "use strict";

  const sql = window.registaSql;

  const current_stages = `
SELECT p.entry, e.kind, p.stage, p.to_version AS version, p.time AS since, p.actor AS \`by\`, p.seq, v.digest
FROM (
    SELECT *, row_number() OVER (PARTITION BY entry_id, entry, stage ORDER BY seq DESC, i DESC) AS newest
    FROM placements
) AS p
JOIN entries AS e ON e.entry_id = p.entry_id AND e.entry = p.entry
LEFT JOIN versions AS v ON v.entry_id = p.entry_id AND v.entry = p.entry AND v.version = p.to_version
WHERE p.newest = 1 AND p.to_version IS NOT NULL`;

  const stage_history = `
SELECT entry, stage, version, since, until, \`by\`, action, reason, ended_by, ended_action, seq, until_seq
FROM (
    SELECT
        entry, stage, to_version AS version, time AS since, lead(time) OVER changes AS until,
        actor AS \`by\`, action, reason, lead(actor) OVER changes AS ended_by,
        lead(action) OVER changes AS ended_action, seq, lead(seq) OVER changes AS until_seq
    FROM placements
    WINDOW changes AS (PARTITION BY entry_id, entry, stage ORDER BY seq, i)
)
WHERE version IS NOT NULL`;

  const latest_scores = `
SELECT
    s.entry, s.version, s.suite, s.task, s.metric, s.slice, s.value, s.stderr, s.n, s.higher_is_better,
    s.run_id, r.status, r.dataset, r.actor, r.time, r.seq
FROM eval_scores AS s
JOIN (
    SELECT *, row_number() OVER (
        PARTITION BY entry_id, entry, version, suite ORDER BY seq DESC, i DESC
    ) AS newest
    FROM eval_runs
) AS r ON s.run_id = r.run_id AND s.entry_id = r.entry_id AND s.entry = r.entry
    AND s.version = r.version AND s.suite = r.suite
WHERE r.newest = 1`;

  const score_history = `
SELECT
    s.entry, s.version, s.suite, s.task, s.metric, s.slice, s.value, s.stderr, s.n, s.higher_is_better,
    s.run_id, r.status, r.dataset, r.dataset_digest, r.harness, r.code, s.actor, s.time, s.seq
FROM eval_scores AS s
JOIN eval_runs AS r ON s.run_id = r.run_id AND s.entry_id = r.entry_id AND s.entry = r.entry
    AND s.version = r.version AND s.suite = r.suite`;

  const leaderboard = `
SELECT
    suite, task, metric,
    rank() OVER (
        PARTITION BY suite, task, metric
        ORDER BY CASE WHEN higher THEN -value ELSE value END NULLS LAST
    ) AS rank,
    entry, version, value, stderr, n, higher AS higher_is_better, stages, dataset, run_id, time, seq
FROM (
    SELECT
        l.*,
        coalesce(max(l.higher_is_better) OVER (PARTITION BY l.suite, l.task, l.metric), 1) AS higher,
        held.stages
    FROM latest_scores AS l
    LEFT JOIN (
        SELECT entry, version, string_agg(stage, ', ' ORDER BY stage) AS stages
        FROM current_stages
        GROUP BY entry, version
    ) AS held ON held.entry = l.entry AND held.version = l.version
    WHERE l.slice = '' AND l.status = 'complete' AND (l.entry, l.version) NOT IN (
        SELECT entry, version
        FROM (
            SELECT entry, version, status,
                row_number() OVER (PARTITION BY entry, version ORDER BY seq DESC, i DESC) AS newest
            FROM statuses
            WHERE entry IS NOT NULL AND version IS NOT NULL
        )
        WHERE newest = 1 AND status = 'deleted'
    )
)`;

  const events = `
SELECT seq, i, time, actor, entry_id, entry, 'created' AS event, NULL AS version, kind AS detail
FROM entries
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'registered', version,
    substr(digest, 1, 12) || coalesce(', label ' || label, '')
FROM versions
UNION ALL
SELECT seq, i, time, actor, entry_id, entry,
    CASE action
        WHEN 'register' THEN 'placed' WHEN 'promote' THEN 'promoted'
        WHEN 'rollback' THEN 'rolled back' WHEN 'demote' THEN 'demoted' ELSE action
    END,
    coalesce(to_version, from_version),
    stage || ': ' || coalesce(from_version, 'empty') || ' -> ' || coalesce(to_version, 'empty')
    || coalesce(', ' || reason, '')
FROM placements
UNION ALL
SELECT d.seq, d.i, d.time, d.actor, d.entry_id, d.entry, 'refused', d.version,
    d.op || ' to ' || d.stage || coalesce(': ' || v.gates, '')
FROM decisions AS d
LEFT JOIN (
    SELECT seq, entry_id, version, stage, string_agg(gate || ' ' || status, ', ' ORDER BY i) AS gates
    FROM verdicts
    WHERE status IN ('failed', 'undecidable')
    GROUP BY seq, entry_id, version, stage
) AS v ON v.seq = d.seq AND v.entry_id = d.entry_id AND v.version = d.version AND v.stage = d.stage
WHERE d.outcome = 'refused'
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'evaluated', version,
    suite || ': ' || status || ', ' || scores || ' scores, ' || samples || ' samples'
FROM eval_runs
UNION ALL
SELECT seq, i, time, actor, entry_id, entry,
    CASE status WHEN 'active' THEN 'restored' ELSE status END, version,
    coalesce(reason, '') || CASE WHEN purge THEN ' (purged)' ELSE '' END
FROM statuses
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'aliased', coalesce(version, from_version),
    alias || ': ' || coalesce(from_version, 'none') || ' -> ' || coalesce(version, 'none')
FROM aliases
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'tagged', version,
    CASE WHEN value IS NULL THEN 'removed ' || key ELSE key || '=' || substr(value, 1, 200) END
FROM tags
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'renamed', NULL, 'from ' || from_name
FROM names
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'described', version,
    coalesce(substr(description, 1, 200), substr(description_digest, 1, 12), '')
FROM descriptions
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'drilled', from_version,
    stage || ': back to ' || coalesce(to_version, 'none')
    || CASE WHEN ok THEN ', ok' ELSE ', failed' END || coalesce(', ' || detail, '')
FROM drills
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'approved', version,
    coalesce('for ' || stage, 'policy ' || substr(version_digest, 1, 12)) || coalesce(': ' || meaning, '')
FROM approvals
UNION ALL
SELECT seq, i, time, actor, entry_id, entry, 'waived', version,
    gate || ' for ' || stage || coalesce(': ' || reason, '')
FROM waivers
UNION ALL
SELECT seq, i, time, actor, NULL, NULL, 'policy applied', NULL,
    substr(digest, 1, 12) || coalesce(', ' || reason, '')
FROM policies`;

  const views = { current_stages, stage_history, latest_scores, score_history, leaderboard, events };

  /** Return the tables among some names, and those that the views among them read. */
  function tablesOf(names) {
    const found = new Set();
    const visit = (name) => {
      if (!(name in views)) return found.add(name);
      for (const [, read] of views[name].matchAll(/\b(?:FROM|JOIN) (\w+)/g)) visit(read);
    };
    names.forEach(visit);
    return found;
  }

  Object.assign(sql, { views, tablesOf });
})();
