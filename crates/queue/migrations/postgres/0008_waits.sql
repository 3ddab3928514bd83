-- Four claims of a hundred jobs took all places there were, and a fifth at the same time took a turn, for which all others had
-- to come to an end. Now a claim has one place, which is good for many or for few, and where none is free it waits for one.

-- Claims that began before know other places: they come to an end first.
LOCK TABLE barkeep.queue_cap IN ACCESS EXCLUSIVE MODE;

-- Takes a place for so many jobs until the transaction ends, and answers from how many rows it was summed up that there is room;
-- null if it takes none, since no place is good for as many, there is not room for all places, or groups have caps. Who waits
-- for a place has none yet, so that nobody waits in a circle.
CREATE OR REPLACE FUNCTION barkeep.queue_take_places(wanted_kind text, most bigint, least_cap int) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    class CONSTANT int4 := 1667330163;
    -- Those from 1 on are large, those behind them small.
    large CONSTANT int4 := 3;
    small CONSTANT int4 := 4;
    a_large CONSTANT bigint := 100;
    a_small CONSTANT bigint := 25;
    all_places CONSTANT bigint := large * a_large + small * a_small;
    is_small CONSTANT boolean := most <= a_small;
    -- Each looks from elsewhere on, so that few find their first ones taken.
    own CONSTANT int4 := CASE WHEN is_small THEN 1 + large + pg_backend_pid() % small ELSE 1 + pg_backend_pid() % large END;
    place int4 := own;
    has_place boolean;
    caps record;
BEGIN
    IF most > a_large OR least_cap < all_places THEN
        RETURN NULL;
    END IF;
    BEGIN
        IF NOT pg_try_advisory_xact_lock_shared(class, 0) THEN
            RETURN NULL;
        END IF;
        LOOP
            has_place := pg_try_advisory_xact_lock(class, place);
            EXIT WHEN has_place;
            -- Large ones are good for few as well.
            place := 1 + place % CASE WHEN is_small THEN large + small ELSE large END;
            EXIT WHEN place = own;
        END LOOP;
        IF NOT has_place THEN
            PERFORM pg_advisory_xact_lock(class, own);
        END IF;
        -- Those who left their places are in sight of this statement; the others take what these are good for at the most.
        SELECT * INTO caps FROM barkeep.queue_room(wanted_kind);
        IF caps.capped_groups IS NULL AND caps.room >= all_places THEN
            RETURN caps.changes;
        END IF;
        -- Lets go of the locks: who is to take a turn must not stand in the way of who does.
        RAISE EXCEPTION USING ERRCODE = 'BK001';
    EXCEPTION WHEN SQLSTATE 'BK001' THEN
        RETURN NULL;
    END;
END
$$;
