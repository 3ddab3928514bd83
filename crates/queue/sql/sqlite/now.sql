-- The clock that every statement is given. $1: microseconds by which a test has moved it, otherwise 0.
SELECT CAST(round(unixepoch('now', 'subsec') * 1000000.0) AS INTEGER) + $1
