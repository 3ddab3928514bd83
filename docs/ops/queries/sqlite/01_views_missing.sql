-- finds: views that are not there: barkeep has not opened this database, or is older than these queries
SELECT name AS view
FROM (
    SELECT value AS name FROM json_each(
        '["jobs_v1","failures_v1","costs_v1","budgets_v1","beats_v1","workers_v1","bars_v1","coverage_v1","quarantine_v1"]'
    )
)
WHERE name NOT IN (SELECT name FROM sqlite_schema WHERE type = 'view')
ORDER BY name
