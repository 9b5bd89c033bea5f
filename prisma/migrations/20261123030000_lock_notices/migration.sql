-- A table that the version before this one does not know. The foreign key looks at no row and holds up writes for a moment.

CREATE TABLE "lock_notices" (
    "id" UUID NOT NULL,
    "challenge_id" UUID NOT NULL,
    "subject_user_id" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "locked_at" TIMESTAMPTZ(3) NOT NULL,
    "locked_until" TIMESTAMPTZ(3) NOT NULL,
    "status" TEXT NOT NULL,
    "delivery_attempts" SMALLINT NOT NULL,
    "next_attempt_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "message_id" TEXT,
    "failed_at" TIMESTAMPTZ(3),
    "failure_reason" TEXT,

    CONSTRAINT "lock_notices_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "lock_notices_lock_check" CHECK ("locked_until" > "locked_at"),
    CONSTRAINT "lock_notices_status_check" CHECK (
        CASE "status"
            WHEN 'queued' THEN "next_attempt_at" IS NOT NULL AND num_nonnulls("sent_at", "message_id", "failed_at", "failure_reason") = 0
            WHEN 'sent' THEN "sent_at" IS NOT NULL AND num_nonnulls("next_attempt_at", "failed_at", "failure_reason") = 0
            WHEN 'failed' THEN num_nulls("failed_at", "failure_reason") = 0 AND num_nonnulls("next_attempt_at", "sent_at", "message_id") = 0
            ELSE FALSE
        END
    )
);

-- What goes with a challenge, at the end of its retention or the erasure of its subject.
CREATE INDEX "lock_notices_challenge_id_idx" ON "lock_notices"("challenge_id");

-- Only what is still to be handed over.
CREATE INDEX "lock_notices_due_idx" ON "lock_notices"("next_attempt_at") WHERE "status" = 'queued';

ALTER TABLE "lock_notices" ADD CONSTRAINT "lock_notices_challenge_id_fkey" FOREIGN KEY ("challenge_id") REFERENCES "challenges"("id") ON DELETE CASCADE ON UPDATE CASCADE;
