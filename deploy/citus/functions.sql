-- The functions of the tables on a Citus cluster that differ from those of the migrations. Run it as countersign_owner on the coordinator,
-- after distribute.sql and after each migration; then decisions.sql and shards.sql. Citus takes them to all servers. A second run changes
-- nothing.

-- As in the migrations, but the id has the time in front, so that ids of all servers rise with time: 40 bits for the milliseconds since 2020,
-- 8 for the draw, 5 for the server. Each server draws from a range of its own, which begins with its number. An id is at least a millisecond
-- later than the one before in its chain, whatever the clocks of two servers say. It fits into the 53 bits of a number in JavaScript.
CREATE OR REPLACE FUNCTION "chain_challenge_event"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET citus.enable_manual_changes_to_shards = on AS $$
DECLARE
    content bytea;
    draw bigint := nextval('public.challenge_events_id_seq');
    now_ms bigint;
    head public.trail_heads;
BEGIN
    NEW.recorded_at := clock_timestamp();
    now_ms := (extract(epoch FROM NEW.recorded_at) * 1000)::bigint;
    content := convert_to(json_build_array(
        NEW.subject_user_id, NEW.challenge_id, NEW.type, (extract(epoch FROM NEW.occurred_at) * 1000)::bigint,
        now_ms, NEW.actor, NEW.request_id, NEW.remote_address, NEW.details
    )::text, 'UTF8');
    draw := ((draw & 255) << 5) | ((draw >> 48) & 31);
    head := public.advance_trail_head(TG_TABLE_NAME, NEW.bucket, NEW.subject_user_id, now_ms - 1577836800000, draw, content);
    NEW.id := head.event_id;
    NEW.position := head.position;
    NEW.previous_id := head.previous_id;
    NEW.previous_hash := head.previous_hash;
    RETURN NEW;
END;
$$;

-- The head of a chain after one more event, whose content it takes in. shards.sql copies it for each shard: the table of the events is one.
CREATE OR REPLACE FUNCTION "advance_trail_head_anywhere"(
    "of_table" NAME, "of_bucket" INTEGER, "of_subject" TEXT, "now_ms" BIGINT, "draw" BIGINT, "content" BYTEA
) RETURNS public.trail_heads LANGUAGE plpgsql AS $$
DECLARE
    advanced public.trail_heads;
BEGIN
    LOOP
        UPDATE public.trail_heads AS head
        SET position = head.position + 1,
            event_id = (greatest(now_ms, (coalesce(head.event_id, 0) >> 13) + 1) << 13) | draw,
            hash = sha256(head.hash || int8send(head.position + 1) || content),
            previous_id = head.event_id,
            previous_hash = head.hash
        WHERE head.bucket = of_bucket AND head.subject_user_id = of_subject
        RETURNING head.* INTO advanced;
        EXIT WHEN FOUND;
        -- Another bucket or shard than that of the head finds no head, so an event in the wrong place always comes here.
        IF of_bucket IS DISTINCT FROM public.bucket_of(of_subject) OR of_table NOT IN (
            'challenge_events', 'challenge_events_' || get_shard_id_for_distribution_column('public.challenge_events', of_bucket)
        ) THEN
            RAISE EXCEPTION 'the bucket is that of another subject' USING ERRCODE = 'check_violation';
        END IF;
        INSERT INTO public.trail_heads (bucket, subject_user_id, position, hash, previous_hash)
        VALUES (of_bucket, of_subject, 0, '', '')
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN advanced;
END;
$$;

-- As in the migrations, as statements that follow each other: Citus takes no INSERT in a WITH here.
CREATE OR REPLACE FUNCTION "queue_service_events"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET citus.enable_manual_changes_to_shards = on AS $$
DECLARE
    e record;
BEGIN
    IF NOT public.has_webhook_endpoints(TG_TABLE_NAME) THEN
        RETURN NULL;
    END IF;
    FOR e IN
        SELECT bucket, id, type, occurred_at, challenge_id FROM added
        WHERE type IN (
            'challenge-opened', 'otp-issued', 'otp-sent', 'otp-delayed', 'otp-delivered', 'otp-bounced', 'otp-failed', 'otp-rejected',
            'challenge-verified', 'challenge-exhausted', 'challenge-expired', 'challenge-cancelled', 'challenge-consumed',
            'subject-locked', 'challenge-reported'
        )
        ORDER BY id
    LOOP
        PERFORM public.queue_service_event(TG_TABLE_NAME, e.bucket, e.id, e.type, e.occurred_at, e.challenge_id);
    END LOOP;
    RETURN NULL;
END;
$$;

CREATE OR REPLACE FUNCTION "has_webhook_endpoints_anywhere"("of_table" NAME) RETURNS BOOLEAN LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM public.webhook_endpoints);
END;
$$;

-- Queues one event, if the service that asked for the challenge has an endpoint. Returns whether it has.
CREATE OR REPLACE FUNCTION "queue_service_event_anywhere"(
    "of_table" NAME, "of_bucket" INTEGER, "of_event" BIGINT, "of_type" TEXT, "occurred" TIMESTAMPTZ, "of_challenge" UUID
) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    SELECT t.client_id, t.expires_at INTO c
    FROM public.challenges t
    JOIN public.webhook_endpoints w ON w.client_id = t.client_id
    WHERE t.bucket = of_bucket AND t.id = of_challenge;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF of_type = 'challenge-opened' THEN
        INSERT INTO public.challenge_expiries (bucket, challenge_id, expires_at)
        VALUES (of_bucket, of_challenge, c.expires_at)
        ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO public.service_events (bucket, event_id, client_id, challenge_id, next_attempt_at)
    VALUES (of_bucket, of_event, c.client_id, of_challenge, occurred);
    RETURN true;
END;
$$;

-- As in the migrations. SET LOCAL reaches the servers, and set_config() does not: the caller needs a transaction around it.
CREATE OR REPLACE FUNCTION "purge_challenge_events"("kept_days" INTEGER, "at_most" INTEGER) RETURNS INTEGER LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    retention record;
    cut_off timestamptz;
    last_id bigint;
    purged integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('countersign.trail_retention')) THEN
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT retention FROM public.trail_retention;
    cut_off := now() - make_interval(days => greatest(kept_days, retention.minimum_days));
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
    SET LOCAL citus.propagate_set_commands = 'local';
    SET LOCAL countersign.retention = 'on';
    DELETE FROM public.challenge_events WHERE id > retention.purged_to AND id <= last_id;
    GET DIAGNOSTICS purged = ROW_COUNT;
    SET LOCAL countersign.retention = 'off';
    -- Another server does not know the lock of this one.
    UPDATE public.trail_retention SET purged_to = greatest(purged_to, last_id);
    RETURN purged;
END;
$$;

-- The events are on several servers, so each gets its place by a statement of its own.
CREATE OR REPLACE FUNCTION "number_service_events"("at_most" INTEGER) RETURNS INTEGER LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    last_place BIGINT;
    numbered INTEGER := 0;
    e record;
BEGIN
    -- Without an endpoint there is no event to look for on all servers.
    PERFORM 1 FROM "webhook_endpoints" LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM 1 FROM "service_events" WHERE "position" IS NULL LIMIT 1;
    IF NOT FOUND OR NOT pg_try_advisory_xact_lock(hashtext('countersign.service_events')) THEN
        RETURN 0;
    END IF;
    SELECT greatest(max("position"), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) INTO last_place
    FROM "service_events"
    WHERE "position" IS NOT NULL;
    FOR e IN
        SELECT "bucket", "event_id", "challenge_id" FROM "service_events" WHERE "position" IS NULL ORDER BY "event_id" LIMIT "at_most"
    LOOP
        UPDATE "service_events" s
        SET "position" = last_place + numbered + 1
        WHERE s."bucket" = e."bucket" AND s."event_id" = e."event_id" AND s."position" IS NULL;
        numbered := numbered + 1;
    END LOOP;
    -- The servers commit one after the other. Who reads places waits until all have, and this waits for who reads.
    PERFORM pg_advisory_xact_lock(hashtext('countersign.service_events.places'));
    RETURN numbered;
END;
$$;
