-- Mails that tell a user about something that was done in their name, and the outbox of those that are not sent yet. They belong to no
-- challenge: an address can change without one.
CREATE TABLE "security_notices" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "subject_user_id" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "happened_at" TIMESTAMPTZ(3) NOT NULL,
    "status" TEXT NOT NULL,
    "delivery_attempts" SMALLINT NOT NULL,
    "next_attempt_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "security_notices_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "security_notices_status_check" CHECK (
        CASE "status"
            WHEN 'queued' THEN "next_attempt_at" IS NOT NULL AND "finished_at" IS NULL
            WHEN 'sent' THEN "next_attempt_at" IS NULL AND "finished_at" IS NOT NULL
            WHEN 'failed' THEN "next_attempt_at" IS NULL AND "finished_at" IS NOT NULL
            ELSE FALSE
        END
    )
);

CREATE INDEX "security_notices_due_idx" ON "security_notices"("next_attempt_at") WHERE "status" = 'queued';

-- An erasure looks for the notices of a user.
CREATE INDEX "security_notices_subject_user_id_idx" ON "security_notices"("subject_user_id");

-- A mailbox gets a bounded number of them.
CREATE INDEX "security_notices_mailbox_idx" ON "security_notices"(lower("recipient"), "happened_at");
