SELECT COALESCE(MAX(version), 0) FROM barkeep.database_migration WHERE component = $1
