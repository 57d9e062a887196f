-- The 95th percentile of the latest load test stays within 40 ms.
SELECT
    max(value) <= 40 AS passed,
    max(value) AS observed,
    '<= 40 ms' AS required
FROM latest_scores
WHERE version = $version AND suite = 'load' AND metric = 'p95_ms' AND status = 'complete'
