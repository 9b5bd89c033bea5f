-- Rows are updated a few times in their life and never change an indexed column while they do, so room is left
-- on each page for the next version of a row (HOT updates).

CREATE TABLE "users" (
    "user_id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "locale" TEXT,
    "display_name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("user_id")
);

CREATE TABLE "subject_standings" (
    "subject_user_id" TEXT NOT NULL,
    "consecutive_failures" SMALLINT NOT NULL,
    "consecutive_locks" SMALLINT NOT NULL,
    "locked_until" TIMESTAMPTZ(3),
    "recent_issuances" TIMESTAMPTZ(3)[],
    "version" INTEGER NOT NULL,

    CONSTRAINT "subject_standings_pkey" PRIMARY KEY ("subject_user_id"),
    CONSTRAINT "subject_standings_counts_check" CHECK ("consecutive_failures" >= 0 AND "consecutive_locks" >= 0)
) WITH (fillfactor = 80);

CREATE TABLE "challenges" (
    "id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "subject_user_id" TEXT NOT NULL,
    "operation_type" TEXT NOT NULL,
    "operation_digest" TEXT NOT NULL,
    "operation_summary" JSONB NOT NULL,
    "status" TEXT NOT NULL,
    "attempts_remaining" SMALLINT NOT NULL,
    "issuance_count" SMALLINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "verified_at" TIMESTAMPTZ(3),
    "consumed_at" TIMESTAMPTZ(3),
    "consumption_key" TEXT,
    "consumption_fingerprint" TEXT,
    "exhausted_at" TIMESTAMPTZ(3),
    "cancelled_at" TIMESTAMPTZ(3),
    "idempotency_key" TEXT NOT NULL,
    "request_fingerprint" TEXT NOT NULL,

    CONSTRAINT "challenges_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "challenges_counts_check" CHECK ("attempts_remaining" >= 0 AND "issuance_count" >= 0),
    CONSTRAINT "challenges_lifetime_check" CHECK ("expires_at" > "created_at"),
    CONSTRAINT "challenges_status_check" CHECK (
        CASE "status"
            WHEN 'pending' THEN "attempts_remaining" > 0 AND num_nonnulls("verified_at", "consumed_at", "exhausted_at", "cancelled_at") = 0
            WHEN 'verified' THEN "verified_at" IS NOT NULL AND num_nonnulls("consumed_at", "exhausted_at", "cancelled_at") = 0
            WHEN 'consumed' THEN num_nulls("verified_at", "consumed_at") = 0 AND num_nonnulls("exhausted_at", "cancelled_at") = 0
            WHEN 'exhausted' THEN "attempts_remaining" = 0 AND "exhausted_at" IS NOT NULL AND num_nonnulls("verified_at", "consumed_at", "cancelled_at") = 0
            WHEN 'cancelled' THEN "cancelled_at" IS NOT NULL AND num_nonnulls("verified_at", "consumed_at", "exhausted_at") = 0
            ELSE FALSE
        END
    ),
    CONSTRAINT "challenges_consumption_check" CHECK (num_nonnulls("consumed_at", "consumption_key", "consumption_fingerprint") IN (0, 3))
) WITH (fillfactor = 80);

CREATE TABLE "otp_issuances" (
    "id" UUID NOT NULL,
    "challenge_id" UUID NOT NULL,
    "subject_user_id" TEXT NOT NULL,
    "number" SMALLINT NOT NULL,
    "key_id" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "status" TEXT NOT NULL,
    "delivery_attempts" SMALLINT NOT NULL,
    "next_attempt_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "message_id" TEXT,
    "failed_at" TIMESTAMPTZ(3),
    "failure_reason" TEXT,

    CONSTRAINT "otp_issuances_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "otp_issuances_number_check" CHECK ("number" > 0),
    CONSTRAINT "otp_issuances_lifetime_check" CHECK ("expires_at" > "issued_at"),
    CONSTRAINT "otp_issuances_status_check" CHECK (
        CASE "status"
            WHEN 'queued' THEN "next_attempt_at" IS NOT NULL AND num_nonnulls("sent_at", "message_id", "failed_at", "failure_reason") = 0
            WHEN 'sent' THEN "sent_at" IS NOT NULL AND num_nonnulls("next_attempt_at", "failed_at", "failure_reason") = 0
            WHEN 'failed' THEN num_nulls("failed_at", "failure_reason") = 0 AND num_nonnulls("next_attempt_at", "sent_at", "message_id") = 0
            ELSE FALSE
        END
    )
) WITH (fillfactor = 80);

CREATE TABLE "challenge_events" (
    "id" BIGSERIAL NOT NULL,
    "challenge_id" UUID,
    "subject_user_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT NOT NULL,
    "request_id" TEXT,
    "remote_address" TEXT,
    "details" JSONB NOT NULL,

    CONSTRAINT "challenge_events_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "challenges_subject_user_id_idx" ON "challenges"("subject_user_id");

CREATE UNIQUE INDEX "challenges_client_id_idempotency_key_key" ON "challenges"("client_id", "idempotency_key");

CREATE UNIQUE INDEX "otp_issuances_challenge_id_number_key" ON "otp_issuances"("challenge_id", "number");

-- The outbox: only what is still to be handed over, so it stays as small as the backlog.
CREATE INDEX "otp_issuances_due_idx" ON "otp_issuances"("next_attempt_at") WHERE "status" = 'queued';

CREATE INDEX "challenge_events_challenge_id_id_idx" ON "challenge_events"("challenge_id", "id");

ALTER TABLE "challenges" ADD CONSTRAINT "challenges_subject_user_id_fkey" FOREIGN KEY ("subject_user_id") REFERENCES "subject_standings"("subject_user_id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "otp_issuances" ADD CONSTRAINT "otp_issuances_challenge_id_fkey" FOREIGN KEY ("challenge_id") REFERENCES "challenges"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The audit trail is written once. Retention, which alone may delete, says so for its transaction:
-- SET LOCAL countersign.retention = 'on'.
CREATE FUNCTION "keep_challenge_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('countersign.retention', TRUE) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER "challenge_events_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "challenge_events" FOR EACH STATEMENT EXECUTE FUNCTION "keep_challenge_events"();
