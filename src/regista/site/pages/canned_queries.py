"""The SQL console's ready-made questions.

Each runs as it stands in DuckDB (`regista sql`) and in the browser; a test holds both to the same
rows. So none uses what the browser's dialect refuses, and each names an order that leaves no ties.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CannedQuery:
    """A question that people have, and the query that answers it.

    Attributes:
        title: the question.
        about: what to know of the answer, or what to change in the query; a sentence or two.
        sql: one statement of DuckDB's SQL.
    """

    title: str
    about: str
    sql: str


CANNED_QUERIES: tuple[CannedQuery, ...] = (
    CannedQuery(
        "What is in production?",
        "What every stage named prod holds now, since when, and who put it there.",
        """\
SELECT entry, kind, version, since, "by"
FROM current_stages
WHERE stage = 'prod'
ORDER BY entry""",
    ),
    CannedQuery(
        "What was in production a day ago?",
        "For another moment write a time, such as TIMESTAMP '2026-03-01 12:00:00', in both places.",
        """\
SELECT entry, version, since, until
FROM stage_history
WHERE stage = 'prod'
    AND since <= current_timestamp::TIMESTAMP - INTERVAL 1 DAY
    AND (until IS NULL OR until > current_timestamp::TIMESTAMP - INTERVAL 1 DAY)
ORDER BY entry""",
    ),
    CannedQuery(
        "Who promoted what, and who rolled it back?",
        "Every promotion and every way back, the latest first.",
        """\
SELECT time, actor, action, entry, stage, from_version, to_version, reason
FROM placements
WHERE action IN ('promote', 'rollback', 'demote')
ORDER BY seq DESC, i DESC""",
    ),
    CannedQuery(
        "What was refused, and by which gate?",
        "One row per gate that did not pass, with what it saw and what it asks for.",
        """\
SELECT d.time, d.actor, d.entry, d.version, d.stage, v.gate, v.status, v.observed, v.required
FROM decisions AS d
JOIN verdicts AS v USING (seq, entry_id, version, stage)
WHERE d.outcome = 'refused' AND v.status IN ('failed', 'undecidable')
ORDER BY d.seq DESC, v.i""",
    ),
    CannedQuery(
        "Which versions are best by each metric?",
        "The first three by every metric over all of the data, and where they are now.",
        """\
SELECT suite, task, metric, rank, entry, version, value, stderr, stages
FROM leaderboard
WHERE rank <= 3
ORDER BY suite, task, metric, rank, entry, version""",
    ),
    CannedQuery(
        "How did the scores of an entry change?",
        "From version to version, in each one's latest run. Add AND entry = '…' for one entry.",
        """\
SELECT
    entry, suite, task, metric, version, value,
    value - lag(value) OVER (PARTITION BY entry, suite, task, metric ORDER BY version) AS change
FROM latest_scores
WHERE slice = ''
ORDER BY entry, suite, task, metric, version""",
    ),
    CannedQuery(
        "Is the newest version better than production?",
        "Slice by slice, the largest loss first. change is in the metric's own direction.",
        """\
WITH newest AS (
    SELECT entry, max(version) AS version
    FROM versions
    GROUP BY entry
)
SELECT
    c.entry, c.version, p.version AS prod, c.suite, c.metric, c.slice,
    p.value AS prod_value, c.value, c.value - p.value AS change
FROM latest_scores AS c
JOIN newest AS n ON n.entry = c.entry AND n.version = c.version
JOIN current_stages AS s ON s.entry = c.entry AND s.stage = 'prod'
JOIN latest_scores AS p
    ON p.entry = c.entry AND p.version = s.version
    AND p.suite = c.suite AND p.task = c.task
    AND p.metric = c.metric AND p.slice = c.slice
WHERE c.version <> p.version
ORDER BY change, c.entry, c.suite, c.task, c.metric, c.slice""",
    ),
    CannedQuery(
        "Which way back was not rehearsed in 30 days?",
        "Stages that hold a version and had no successful drill of late, or none at all.",
        """\
SELECT s.entry, s.stage, s.version, d.last_good_drill
FROM current_stages AS s
LEFT JOIN (
    SELECT entry, stage, max(time) FILTER (ok) AS last_good_drill
    FROM drills
    GROUP BY entry, stage
) AS d ON d.entry = s.entry AND d.stage = s.stage
WHERE s.stage <> 'dev' AND (
    d.last_good_drill IS NULL
    OR d.last_good_drill < current_timestamp::TIMESTAMP - INTERVAL 30 DAY
)
ORDER BY s.entry, s.stage""",
    ),
    CannedQuery(
        "Which versions were never promoted?",
        "Registered, and since then in no stage by anybody's decision.",
        """\
SELECT v.entry, v.version, v.time, v.actor
FROM versions AS v
WHERE NOT EXISTS (
    SELECT 1
    FROM placements AS p
    WHERE p.entry_id = v.entry_id AND p.to_version = v.version AND p.action = 'promote'
)
ORDER BY v.entry, v.version""",
    ),
    CannedQuery(
        "Which gates are waived, by whom and until when?",
        "All waivers ever given; in_force is whether one counts now.",
        """\
SELECT
    entry, version, stage, gate, actor, reason, until,
    until IS NULL OR until > current_timestamp::TIMESTAMP AS in_force
FROM waivers
ORDER BY seq DESC, i DESC""",
    ),
    CannedQuery(
        "How long did each version hold production?",
        "What holds it now is counted up to now.",
        """\
SELECT
    entry, version, since, until,
    date_diff('hour', since, coalesce(until, current_timestamp::TIMESTAMP)) AS hours
FROM stage_history
WHERE stage = 'prod'
ORDER BY entry, seq""",
    ),
    CannedQuery(
        "What was it made from?",
        "Data, base models, training runs and code behind what is in production.",
        """\
SELECT s.entry, s.version, l.relation, l.target, l.target_version
FROM current_stages AS s
JOIN lineage AS l ON l.entry = s.entry AND l.version = s.version
WHERE s.stage = 'prod'
ORDER BY s.entry, l.relation, l.target""",
    ),
)
