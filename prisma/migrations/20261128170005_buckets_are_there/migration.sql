-- Alone in its migration, which is then no transaction. A validated CHECK proves to SET NOT NULL that no row is without a bucket, so that it
-- does not look itself, under its lock. Reads and writes go on while the CHECK is validated.
--
-- contract: the version before inserts rows without a bucket, and the triggers fill it.
DO $$
DECLARE
    place TEXT;
BEGIN
    FOREACH place IN ARRAY ARRAY[
        'users', 'subject_standings', 'challenges', 'otp_issuances', 'lock_notices', 'security_notices', 'challenge_events',
        'trail_heads', 'service_events', 'challenge_expiries', 'challenge_strangers'
    ] LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS bucket_is_there', place);
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bucket_is_there CHECK (bucket IS NOT NULL) NOT VALID', place);
        COMMIT;
        EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT bucket_is_there', place);
        COMMIT;
        EXECUTE format('ALTER TABLE %I ALTER COLUMN bucket SET NOT NULL', place);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT bucket_is_there', place);
        COMMIT;
    END LOOP;
END;
$$;
