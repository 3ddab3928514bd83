SELECT to_regclass('barkeep.database_migration') IS NOT NULL
