SELECT COALESCE(MAX(version), 0) FROM database_migration WHERE component = ?1
