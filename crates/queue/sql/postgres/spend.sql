-- Notes down what tries have cost so far, for settle.sql to book if nobody can tell any more.
UPDATE barkeep.queue_lease AS lease
SET cost = spending.cost
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS spending (id, token, cost)
WHERE lease.id = spending.id AND lease.token = spending.token
