-- The trail is kept longer than the challenges, and its owner decides how long at least. The service calls a function that checks the age of
-- what it deletes, and needs no right to delete.

CREATE TABLE "trail_retention" (
    "only" BOOLEAN NOT NULL DEFAULT TRUE,
    "minimum_days" INTEGER NOT NULL,
    "purged_to" BIGINT NOT NULL,

    CONSTRAINT "trail_retention_pkey" PRIMARY KEY ("only"),
    CONSTRAINT "trail_retention_only_check" CHECK ("only"),
    CONSTRAINT "trail_retention_minimum_check" CHECK ("minimum_days" >= 0)
);

-- Thirteen months, the time to dispute a payment (PSD2 art. 71), have at most 397 days.
INSERT INTO "trail_retention" ("minimum_days", "purged_to") VALUES (397, 0);

-- Deletes up to `at_most` events from the old end of the trail, and returns how many. Returns null while another session does. No argument
-- makes it delete an event that is younger than the minimum, by the clock of the database.
CREATE FUNCTION "purge_challenge_events"("kept_days" INTEGER, "at_most" INTEGER) RETURNS INTEGER LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    retention public.trail_retention;
    cut_off timestamptz;
    last_id bigint;
    purged integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('countersign.trail_retention')) THEN
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT retention FROM public.trail_retention;
    cut_off := now() - make_interval(days => greatest(kept_days, retention.minimum_days));
    -- Ids rise with time. What is behind the first young event waits for it.
    SELECT max(id) INTO last_id
    FROM (
        SELECT id, bool_and(coalesce(recorded_at, occurred_at) < cut_off) OVER (ORDER BY id) AS old
        FROM (
            SELECT id, recorded_at, occurred_at FROM public.challenge_events
            WHERE id > retention.purged_to ORDER BY id LIMIT at_most
        ) AS oldest
    ) AS judged
    WHERE old;
    IF last_id IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM set_config('countersign.retention', 'on', TRUE);
    DELETE FROM public.challenge_events WHERE id > retention.purged_to AND id <= last_id;
    GET DIAGNOSTICS purged = ROW_COUNT;
    PERFORM set_config('countersign.retention', 'off', TRUE);
    UPDATE public.trail_retention SET purged_to = last_id;
    RETURN purged;
END;
$$;

REVOKE ALL ON FUNCTION "purge_challenge_events"(INTEGER, INTEGER) FROM PUBLIC;

-- The setting alone no longer allows to delete. Only the owner may, as in the function above, and has to say so.
CREATE OR REPLACE FUNCTION "keep_challenge_events"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('countersign.retention', TRUE) = 'on'
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END;
$$;
