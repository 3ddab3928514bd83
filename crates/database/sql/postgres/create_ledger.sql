CREATE TABLE IF NOT EXISTS barkeep.database_migration (
    component text NOT NULL,
    version int NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (component, version)
)
