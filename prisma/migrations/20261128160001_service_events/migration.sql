-- The events of the audit trail that a service gets to know, and the queue of their deliveries. A row holds ids and times only: type and
-- details are those of the event on the trail. It has no foreign key, because an insert would lock the row of its challenge.
CREATE TABLE "service_events" (
    "event_id" BIGINT NOT NULL,
    -- What the service knows the event by.
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "client_id" TEXT NOT NULL,
    "challenge_id" UUID NOT NULL,
    "stored_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    -- The place among all events. Null until one process, at a time, gives it.
    "position" BIGINT,
    "attempts" SMALLINT NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,
    "leased_until" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "outcome" TEXT,

    CONSTRAINT "service_events_pkey" PRIMARY KEY ("event_id"),
    CONSTRAINT "service_events_outcome_check" CHECK (
        CASE WHEN "finished_at" IS NULL THEN "outcome" IS NULL ELSE "outcome" IN ('accepted', 'given-up') AND "leased_until" IS NULL END
    )
) WITH (fillfactor = 80);

-- What is before an event in its challenge, and what the purge deletes.
CREATE INDEX "service_events_challenge_id_event_id_idx" ON "service_events"("challenge_id", "event_id");

-- Only those that have no place yet.
CREATE INDEX "service_events_unnumbered_idx" ON "service_events"("event_id") WHERE "position" IS NULL;

CREATE UNIQUE INDEX "service_events_position_key" ON "service_events"("position") WHERE "position" IS NOT NULL;

-- The cursor of a service.
CREATE INDEX "service_events_cursor_idx" ON "service_events"("client_id", "position") WHERE "position" IS NOT NULL;

-- Only what is still to be delivered.
CREATE INDEX "service_events_due_idx" ON "service_events"("client_id", "next_attempt_at", "event_id") WHERE "finished_at" IS NULL AND "position" IS NOT NULL;

-- When a challenge of a client with an endpoint ends by the clock. A row goes when its time has come.
CREATE TABLE "challenge_expiries" (
    "challenge_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "challenge_expiries_pkey" PRIMARY KEY ("challenge_id")
);

CREATE INDEX "challenge_expiries_expires_at_idx" ON "challenge_expiries"("expires_at");

-- Queues the new events of challenges whose client has an endpoint, in the statement that stores them. It runs as the owner of the tables:
-- the service needs no right to queue an event that did not happen. Looks up each challenge by its key, whatever the statistics say.
CREATE FUNCTION "queue_service_events"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.webhook_endpoints) THEN
        RETURN NULL;
    END IF;
    WITH told AS MATERIALIZED (
        SELECT e.id, e.type, e.occurred_at, e.challenge_id, c.client_id, c.expires_at
        FROM added e
        CROSS JOIN LATERAL (
            SELECT client_id, expires_at FROM public.challenges WHERE id = e.challenge_id OFFSET 0
        ) AS c
        JOIN public.webhook_endpoints w ON w.client_id = c.client_id
        WHERE e.type IN (
            'challenge-opened', 'otp-issued', 'otp-sent', 'otp-delayed', 'otp-delivered', 'otp-bounced', 'otp-failed', 'otp-rejected',
            'challenge-verified', 'challenge-exhausted', 'challenge-expired', 'challenge-cancelled', 'challenge-consumed',
            'subject-locked', 'challenge-reported'
        )
    ), timed AS (
        INSERT INTO public.challenge_expiries (challenge_id, expires_at)
        SELECT challenge_id, expires_at FROM told WHERE type = 'challenge-opened'
        ON CONFLICT DO NOTHING
    )
    INSERT INTO public.service_events (event_id, client_id, challenge_id, next_attempt_at)
    SELECT id, client_id, challenge_id, occurred_at FROM told;
    RETURN NULL;
END;
$$;

REVOKE ALL ON FUNCTION "queue_service_events"() FROM PUBLIC;

-- Gives up to `at_most` stored events their places, in the order of the trail, and returns how many. One session does at a time, and the
-- next one sees what it did: so no event ever gets a place before one that somebody has read. Places follow the clock, in microseconds.
-- A database that was restored from a backup thus gives no place a second time.
CREATE FUNCTION "number_service_events"("at_most" INTEGER) RETURNS INTEGER LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    last_place BIGINT;
    numbered INTEGER;
BEGIN
    IF NOT EXISTS (SELECT FROM "service_events" WHERE "position" IS NULL)
        OR NOT pg_try_advisory_xact_lock(hashtext('countersign.service_events')) THEN
        RETURN 0;
    END IF;
    SELECT greatest(max("position"), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) INTO last_place
    FROM "service_events"
    WHERE "position" IS NOT NULL;
    -- An event behind one that is tried again later need not be looked at before.
    UPDATE "service_events" s
    SET "position" = last_place + fresh.place,
        "next_attempt_at" = greatest(s."next_attempt_at", (
            SELECT b."next_attempt_at"
            FROM "service_events" b
            WHERE b."challenge_id" = s."challenge_id" AND b."event_id" < s."event_id" AND b."finished_at" IS NULL
            ORDER BY b."event_id"
            LIMIT 1
        ))
    FROM (
        SELECT "event_id", row_number() OVER (ORDER BY "event_id") AS place
        FROM (SELECT "event_id" FROM "service_events" WHERE "position" IS NULL ORDER BY "event_id" LIMIT "at_most") AS oldest
    ) AS fresh
    WHERE s."event_id" = fresh."event_id" AND s."position" IS NULL;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    RETURN numbered;
END;
$$;
