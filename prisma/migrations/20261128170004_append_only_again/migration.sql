-- All events have their bucket. The append-only rule is again what it was.

CREATE OR REPLACE FUNCTION "keep_challenge_events"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('countersign.retention', TRUE) = 'on'
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END;
$$;

DROP TRIGGER "challenge_events_bucket_only" ON "challenge_events";

DROP FUNCTION "keep_all_but_bucket"();
