-- Lets the jobs of a kind spend from a budget, if there is one of that name.
INSERT INTO barkeep.queue_budget_of (kind, budget)
SELECT $1, name FROM barkeep.queue_budget WHERE name = $2
ON CONFLICT (kind) DO UPDATE SET budget = excluded.budget
