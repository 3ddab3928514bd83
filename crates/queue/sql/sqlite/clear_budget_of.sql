-- Lets the jobs of a kind spend from no budget.
DELETE FROM queue_budget_of WHERE kind = $1
