-- The functions that write rows of their own name the bucket in each of them, and in each condition. They are otherwise what they were. The
-- hash of an event is not over its bucket, because that follows from the subject.

CREATE OR REPLACE FUNCTION "chain_challenge_event"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    content bytea;
BEGIN
    -- The head would not be found in another bucket.
    IF NEW.bucket IS DISTINCT FROM public.bucket_of(NEW.subject_user_id) THEN
        RAISE EXCEPTION 'the bucket is that of another subject' USING ERRCODE = 'check_violation';
    END IF;
    NEW.recorded_at := clock_timestamp();
    content := convert_to(json_build_array(
        NEW.subject_user_id, NEW.challenge_id, NEW.type, (extract(epoch FROM NEW.occurred_at) * 1000)::bigint,
        (extract(epoch FROM NEW.recorded_at) * 1000)::bigint, NEW.actor, NEW.request_id, NEW.remote_address, NEW.details
    )::text, 'UTF8');
    LOOP
        -- One statement locks the head, moves it on and draws the id, so the ids of a subject rise along its chain.
        UPDATE public.trail_heads AS head
        SET position = head.position + 1,
            event_id = nextval('public.challenge_events_id_seq'),
            hash = sha256(head.hash || int8send(head.position + 1) || content),
            previous_id = head.event_id,
            previous_hash = head.hash
        WHERE head.subject_user_id = NEW.subject_user_id AND head.bucket = NEW.bucket
        RETURNING head.position, head.event_id, head.previous_id, head.previous_hash
        INTO NEW.position, NEW.id, NEW.previous_id, NEW.previous_hash;
        EXIT WHEN FOUND;
        INSERT INTO public.trail_heads (bucket, subject_user_id, position, hash, previous_hash)
        VALUES (NEW.bucket, NEW.subject_user_id, 0, '', '')
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN NEW;
END;
$$;

CREATE OR REPLACE FUNCTION "queue_service_events"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.webhook_endpoints) THEN
        RETURN NULL;
    END IF;
    WITH told AS MATERIALIZED (
        SELECT e.bucket, e.id, e.type, e.occurred_at, e.challenge_id, c.client_id, c.expires_at
        FROM added e
        CROSS JOIN LATERAL (
            SELECT client_id, expires_at FROM public.challenges WHERE id = e.challenge_id AND bucket = e.bucket OFFSET 0
        ) AS c
        JOIN public.webhook_endpoints w ON w.client_id = c.client_id
        WHERE e.type IN (
            'challenge-opened', 'otp-issued', 'otp-sent', 'otp-delayed', 'otp-delivered', 'otp-bounced', 'otp-failed', 'otp-rejected',
            'challenge-verified', 'challenge-exhausted', 'challenge-expired', 'challenge-cancelled', 'challenge-consumed',
            'subject-locked', 'challenge-reported'
        )
    ), timed AS (
        INSERT INTO public.challenge_expiries (bucket, challenge_id, expires_at)
        SELECT bucket, challenge_id, expires_at FROM told WHERE type = 'challenge-opened'
        ON CONFLICT DO NOTHING
    )
    INSERT INTO public.service_events (bucket, event_id, client_id, challenge_id, next_attempt_at)
    SELECT bucket, id, client_id, challenge_id, occurred_at FROM told;
    RETURN NULL;
END;
$$;
