-- The role of the service inserts anchors. So the owner's trigger decides the hour, and refuses an anchor that does not follow the newest
-- one. Without it, one row of a far future would end anchoring.

CREATE FUNCTION "order_trail_anchor"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    newest public.trail_anchors;
    newest_event bigint;
BEGIN
    NEW.hour := date_trunc('hour', now());
    -- Another process was first. The primary key says so.
    IF EXISTS (SELECT FROM public.trail_anchors AS stored WHERE stored.number = NEW.number) THEN
        RETURN NEW;
    END IF;
    SELECT * INTO newest FROM public.trail_anchors AS stored ORDER BY stored.number DESC LIMIT 1;
    SELECT coalesce(max(id), 0) INTO newest_event FROM public.challenge_events;
    IF NEW.number <> coalesce(newest.number, 0) + 1
        OR NEW.previous <> coalesce(newest.signature, '')
        OR NEW.first_id <> coalesce(newest.last_id, NEW.last_id) + 1
        OR NEW.last_id < NEW.first_id - 1
        OR NEW.last_id > greatest(newest_event, newest.last_id)
        OR NEW.signed_at NOT BETWEEN now() - interval '10 minutes' AND now() + interval '10 minutes' THEN
        RAISE EXCEPTION 'the anchor does not follow the newest one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;

REVOKE ALL ON FUNCTION "order_trail_anchor"() FROM PUBLIC;

-- contract: the version before stores anchors in this order too.
CREATE TRIGGER "trail_anchors_order" BEFORE INSERT ON "trail_anchors" FOR EACH ROW EXECUTE FUNCTION "order_trail_anchor"();
