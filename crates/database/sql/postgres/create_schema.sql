-- Asked first, because CREATE SCHEMA IF NOT EXISTS demands the right to create one even where it exists. The name is
-- cut out of a qualifier, since qualifiers are what is told for another schema.
DO $$
BEGIN
    IF to_regnamespace(rtrim('barkeep.', '.')) IS NULL THEN
        EXECUTE 'CREATE SCHEMA ' || rtrim('barkeep.', '.');
    END IF;
END
$$
