-- Looks at a new challenge, and at one whose subject or bucket somebody changes, which the service never does. It takes the place of a CHECK,
-- which PostgreSQL evaluates at each change of a row. AFTER, because a trigger before an update makes PostgreSQL lock the row once more.
-- The expression is that of bucket_of(): in each statement, its first call costs more than all of this.
CREATE FUNCTION "keep_challenge_in_bucket"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.bucket IS DISTINCT FROM (
        (get_byte(sha256(convert_to(NEW.subject_user_id, 'UTF8')), 0) << 4) | (get_byte(sha256(convert_to(NEW.subject_user_id, 'UTF8')), 1) >> 4)
    ) THEN
        RAISE EXCEPTION 'the bucket is that of another subject' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END;
$$;

-- Citus takes a trigger of a distributed table only so. One PostgreSQL ignores it.
SELECT set_config('citus.enable_unsafe_triggers', 'on', TRUE);

-- contract: no version changes the subject of a challenge, and the bucket of a new one is filled before.
CREATE TRIGGER "challenges_bucket_kept" AFTER INSERT OR UPDATE OF "subject_user_id", "bucket" ON "challenges" FOR EACH ROW EXECUTE FUNCTION "keep_challenge_in_bucket"();
