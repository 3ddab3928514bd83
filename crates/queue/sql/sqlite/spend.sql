-- Notes down what tries have cost so far, for settle.sql to book if nobody can tell any more.
UPDATE queue_lease
SET cost = spending.value ->> 'cost'
FROM json_each($1) AS spending
WHERE queue_lease.id = spending.value ->> 'id' AND queue_lease.token = spending.value ->> 'token'
