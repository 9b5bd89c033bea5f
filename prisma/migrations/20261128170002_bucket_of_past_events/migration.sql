-- Until the events of the past have their bucket, the append-only rule lets it be filled, and nothing else be changed: only by the owner, who
-- has to say so, only from null, and only to the bucket of the subject.

CREATE FUNCTION "keep_all_but_bucket"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.bucket IS NULL THEN
        OLD.bucket := public.bucket_of(OLD.subject_user_id);
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END;
$$;

-- contract: no version changes an event.
CREATE TRIGGER "challenge_events_bucket_only" BEFORE UPDATE ON "challenge_events" FOR EACH ROW EXECUTE FUNCTION "keep_all_but_bucket"();

CREATE OR REPLACE FUNCTION "keep_challenge_events"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        IF TG_OP = 'DELETE' AND current_setting('countersign.retention', TRUE) = 'on' THEN
            RETURN NULL;
        END IF;
        -- The trigger above looks at each row.
        IF TG_OP = 'UPDATE' AND current_setting('countersign.bucket', TRUE) = 'on' THEN
            RETURN NULL;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END;
$$;
