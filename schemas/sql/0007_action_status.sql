-- How each action of an execution stands: a JSON list of {type, status, error, …}; null for executions without actions.
ALTER TABLE rule_execution ADD COLUMN actions TEXT;
