INSERT INTO database_migration (component, version) VALUES (?1, ?2)
