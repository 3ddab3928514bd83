-- The names of all relations and functions that are there.
SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace(rtrim('barkeep.', '.'))
UNION
SELECT proname::text FROM pg_proc WHERE pronamespace = to_regnamespace(rtrim('barkeep.', '.'))
