-- The years without a partition, if we may make them: of those asked for, of this one and of the next.
SELECT barkeep.store_missing_years($1)
WHERE has_function_privilege('barkeep.store_make_room(int4[])', 'EXECUTE') AND NOT pg_is_in_recovery()
