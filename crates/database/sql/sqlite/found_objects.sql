-- The names of all tables, indexes, views and triggers that are there.
SELECT name FROM sqlite_schema
