INSERT INTO barkeep.database_migration (component, version) VALUES ($1, $2)
