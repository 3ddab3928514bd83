-- The clock that every statement reads. $1: microseconds by which a test has moved it, otherwise 0.
SELECT statement_timestamp() + $1::bigint * interval '1 microsecond'
