-- Each event of the audit trail carries the hash of the event before it about the same subject. The new columns have no default, so no
-- row is rewritten. Events from before this migration have no place in a chain.

ALTER TABLE "challenge_events" ADD COLUMN "position" INTEGER;

ALTER TABLE "challenge_events" ADD COLUMN "previous_id" BIGINT;

ALTER TABLE "challenge_events" ADD COLUMN "previous_hash" BYTEA;

-- By the clock of the database, which no caller sets.
ALTER TABLE "challenge_events" ADD COLUMN "recorded_at" TIMESTAMPTZ(3);

-- The newest event of each subject. Its row is locked until the next event is committed, so a chain never forks.
CREATE TABLE "trail_heads" (
    "subject_user_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "event_id" BIGINT,
    "hash" BYTEA NOT NULL,
    "previous_id" BIGINT,
    "previous_hash" BYTEA NOT NULL,

    CONSTRAINT "trail_heads_pkey" PRIMARY KEY ("subject_user_id")
) WITH (fillfactor = 80);

-- Sets what no caller may choose: the id, the place in the chain and the time. It runs as the owner of the tables, so the service needs no
-- right to change a head. src/adapters/persistence-prisma/audit-trail/event-hash.ts computes the same hash.
CREATE FUNCTION "chain_challenge_event"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
        WHERE head.subject_user_id = NEW.subject_user_id
        RETURNING head.position, head.event_id, head.previous_id, head.previous_hash
        INTO NEW.position, NEW.id, NEW.previous_id, NEW.previous_hash;
        EXIT WHEN FOUND;
        INSERT INTO public.trail_heads (subject_user_id, position, hash, previous_hash)
        VALUES (NEW.subject_user_id, 0, '', '')
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN NEW;
END;
$$;

REVOKE ALL ON FUNCTION "chain_challenge_event"() FROM PUBLIC;

-- contract: the version before goes on inserting events, and the trigger gives them their place.
CREATE TRIGGER "challenge_events_chain" BEFORE INSERT ON "challenge_events" FOR EACH ROW EXECUTE FUNCTION "chain_challenge_event"();
