-- Whether anything is paused, spends from a budget or is capped at all stands in one row, which is soon read: claims and endings
-- ask before they look any further, and mostly there is nothing.

CREATE TABLE barkeep.queue_rules (
    are_paused boolean NOT NULL,
    are_spending boolean NOT NULL,
    are_capped boolean NOT NULL
);

-- Whoever may see caps may see whether there are any; who may set them may lock this table.
DO $$
DECLARE
    known record;
BEGIN
    FOR known IN
        SELECT acl.grantee::regrole AS role, CASE acl.privilege_type WHEN 'SELECT' THEN 'SELECT' ELSE 'UPDATE' END AS may
        FROM pg_class, aclexplode(relacl) AS acl
        WHERE pg_class.oid = to_regclass('barkeep.queue_cap') AND acl.privilege_type IN ('SELECT', 'INSERT') AND acl.grantee <> 0
    LOOP
        EXECUTE format('GRANT %s ON barkeep.queue_rules TO %s', known.may, known.role);
    END LOOP;
END
$$;

-- Looks at the table that was changed and at no other: whoever changes those waits for this row, and may not be waited for.
-- Runs with the rights of the owner: who may pause need know nothing of this table.
CREATE FUNCTION barkeep.queue_note_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- What who was first has done is in sight afterwards.
    PERFORM FROM barkeep.queue_rules FOR UPDATE;
    CASE TG_TABLE_NAME
        WHEN 'queue_pause' THEN
            UPDATE barkeep.queue_rules SET are_paused = EXISTS (SELECT FROM barkeep.queue_pause);
        WHEN 'queue_budget_of' THEN
            UPDATE barkeep.queue_rules SET are_spending = EXISTS (SELECT FROM barkeep.queue_budget_of);
        WHEN 'queue_cap' THEN
            UPDATE barkeep.queue_rules SET are_capped = EXISTS (SELECT FROM barkeep.queue_cap);
    END CASE;
    RETURN NULL;
END
$$;

CREATE TRIGGER queue_note_rules AFTER INSERT OR DELETE OR TRUNCATE ON barkeep.queue_pause
FOR EACH STATEMENT EXECUTE FUNCTION barkeep.queue_note_rules();

CREATE TRIGGER queue_note_rules AFTER INSERT OR DELETE OR TRUNCATE ON barkeep.queue_budget_of
FOR EACH STATEMENT EXECUTE FUNCTION barkeep.queue_note_rules();

CREATE TRIGGER queue_note_rules AFTER INSERT OR DELETE OR TRUNCATE ON barkeep.queue_cap
FOR EACH STATEMENT EXECUTE FUNCTION barkeep.queue_note_rules();

-- The one row there is.
INSERT INTO barkeep.queue_rules (are_paused, are_spending, are_capped)
SELECT
    EXISTS (SELECT FROM barkeep.queue_pause),
    EXISTS (SELECT FROM barkeep.queue_budget_of),
    EXISTS (SELECT FROM barkeep.queue_cap);

-- Sets a cap, or lifts it (null). What runs is counted anew, while nothing begins or ends.
CREATE OR REPLACE FUNCTION barkeep.queue_set_cap(of_kind text, of_group text, new_cap int) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- Every statement that begins or ends jobs reads one of these tables.
    LOCK TABLE barkeep.queue_rules IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE barkeep.queue_cap IN ACCESS EXCLUSIVE MODE;
    DELETE FROM barkeep.queue_cap WHERE kind = of_kind AND group_name = of_group;
    DELETE FROM barkeep.queue_use WHERE kind = of_kind AND group_name = of_group;
    IF new_cap IS NOT NULL THEN
        INSERT INTO barkeep.queue_cap (kind, group_name, cap) VALUES (of_kind, of_group, new_cap);
        INSERT INTO barkeep.queue_use (jobs, kind, group_name)
        SELECT count(*), of_kind, of_group
        FROM barkeep.queue_lease JOIN barkeep.queue_job AS job USING (id)
        WHERE of_kind IN ('', job.kind) AND (of_group = '' OR of_group = job.group_name);
    END IF;
END
$$;
