-- Every statement of a page steps along keys, whatever its arguments: planned once a session, not each time. Left to itself,
-- PostgreSQL would plan each anew, because it knows how long an array is only once it has it, and then plans cost a third of
-- what is left of a page that is found unchanged.
SET LOCAL plan_cache_mode = force_generic_plan
