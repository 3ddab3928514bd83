-- Every statement of a page steps along keys, whatever its arguments: planned once a session, not each time. Left to itself,
-- PostgreSQL would plan each anew, because it knows how long an array is only once it has it, and then plans cost a third of
-- what is left of a page that is found unchanged. A plan that lasts must not have been made for tables as empty as they were
-- at the time: keys it is, also where reading all of an empty partition seems to cost nothing; rows then come in order.
SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_sort = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off
