-- Takes away the leases that still stand, and answers them. The table may grow from nothing to thousands of dead rows between
-- two looks that the planner takes at it; a plan made while it was empty reads all of it, however large it has become.
-- So it is settled here, as for claims, that it is read by its index.
CREATE FUNCTION barkeep.queue_end_leases(ids bigint[], tokens uuid[]) RETURNS SETOF barkeep.queue_lease
LANGUAGE plpgsql
ROWS 10
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    DELETE FROM barkeep.queue_lease AS lease
    USING unnest(ids, tokens) AS ended (id, token)
    WHERE lease.id = ended.id AND lease.token = ended.token
    RETURNING lease.*;
END
$$;
