-- finds: views that are not there: barkeep has not opened this database, or is older than these queries
SELECT name AS view
FROM (VALUES
    ('jobs_v1'), ('failures_v1'), ('costs_v1'), ('budgets_v1'), ('beats_v1'), ('workers_v1'),
    ('bars_v1'), ('coverage_v1'), ('quarantine_v1')
) AS expected (name)
WHERE to_regclass('barkeep.' || name) IS NULL
ORDER BY name
