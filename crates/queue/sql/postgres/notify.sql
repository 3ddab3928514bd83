-- Tells whoever listens that there are new jobs in the schema $2. Others that notify wait for this commit, so it does not
-- wait for the disk.
SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)
