-- Compares the bucket with the subject only where a chain begins. The head of a chain has the right bucket, so an event that finds it has the
-- right one too. Each statement paid for the hash of its subject before. The function is otherwise what it was.

CREATE OR REPLACE FUNCTION "chain_challenge_event"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    content bytea;
BEGIN
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
        -- Another bucket than that of the head finds no head, so an event with the wrong one always comes here.
        IF NEW.bucket IS DISTINCT FROM public.bucket_of(NEW.subject_user_id) THEN
            RAISE EXCEPTION 'the bucket is that of another subject' USING ERRCODE = 'check_violation';
        END IF;
        INSERT INTO public.trail_heads (bucket, subject_user_id, position, hash, previous_hash)
        VALUES (NEW.bucket, NEW.subject_user_id, 0, '', '')
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN NEW;
END;
$$;
