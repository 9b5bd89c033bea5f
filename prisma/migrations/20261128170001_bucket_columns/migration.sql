-- Alone in its migration, which is then no transaction: one after the other, each table is locked for a moment. A run that did not get a lock
-- in time is repeated, and goes on where it was. The columns have no default, so no row is rewritten.
--
-- contract: the version before goes on inserting rows, and the triggers fill their bucket. They do not fire for a row that has one.
DO $$
DECLARE
    place TEXT[];
BEGIN
    FOREACH place SLICE 1 IN ARRAY ARRAY[
        ['users', 'fill_bucket_of_user'],
        ['subject_standings', 'fill_bucket_of_subject'],
        ['challenges', 'fill_bucket_of_subject'],
        ['otp_issuances', 'fill_bucket_of_subject'],
        ['lock_notices', 'fill_bucket_of_subject'],
        ['security_notices', 'fill_bucket_of_subject'],
        ['challenge_events', 'fill_bucket_of_subject'],
        ['trail_heads', 'fill_bucket_of_subject'],
        ['service_events', 'fill_bucket_of_challenge'],
        ['challenge_expiries', 'fill_bucket_of_challenge'],
        ['challenge_strangers', 'fill_bucket_of_challenge_id']
    ] LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS bucket INTEGER', place[1]);
        -- The trigger of challenge_events comes before the one that chains: they fire in the order of their names.
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I BEFORE INSERT ON %I FOR EACH ROW WHEN (NEW.bucket IS NULL) EXECUTE FUNCTION %I()',
            place[1] || '_bucket', place[1], place[2]
        );
        COMMIT;
    END LOOP;
END;
$$;
