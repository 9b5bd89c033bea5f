-- Columns without a default and CHECKs that are not validated: each lock is as short as the change of a catalogue row,
-- and the version before this one goes on working. The rows that are there are checked by the next migration.

ALTER TABLE "otp_issuances"
    ADD COLUMN "delivered_at" TIMESTAMPTZ(3),
    ADD COLUMN "bounced_at" TIMESTAMPTZ(3),
    ADD COLUMN "bounce_kind" TEXT,
    DROP CONSTRAINT "otp_issuances_status_check",
    ADD CONSTRAINT "otp_issuances_status_check" CHECK (
        CASE "status"
            WHEN 'queued' THEN "next_attempt_at" IS NOT NULL AND num_nonnulls("sent_at", "message_id", "failed_at", "failure_reason", "delivered_at", "bounced_at", "bounce_kind") = 0
            WHEN 'sent' THEN "sent_at" IS NOT NULL AND num_nonnulls("next_attempt_at", "failed_at", "failure_reason", "delivered_at", "bounced_at", "bounce_kind") = 0
            WHEN 'failed' THEN num_nulls("failed_at", "failure_reason") = 0 AND num_nonnulls("next_attempt_at", "sent_at", "message_id", "delivered_at", "bounced_at", "bounce_kind") = 0
            WHEN 'delivered' THEN "delivered_at" IS NOT NULL AND num_nonnulls("next_attempt_at", "failed_at", "failure_reason", "bounced_at", "bounce_kind") = 0
            WHEN 'bounced' THEN num_nulls("bounced_at", "bounce_kind") = 0 AND num_nonnulls("next_attempt_at", "failed_at", "failure_reason") = 0
            ELSE FALSE
        END
    ) NOT VALID;

ALTER TABLE "subject_standings"
    ADD COLUMN "suppressed_address" TEXT,
    ADD COLUMN "suppression_reason" TEXT,
    ADD COLUMN "suppression_changed_at" TIMESTAMPTZ(3),
    ADD CONSTRAINT "subject_standings_suppression_check" CHECK (
        CASE
            WHEN "suppressed_address" IS NULL THEN "suppression_reason" IS NULL
            ELSE num_nulls("suppression_reason", "suppression_changed_at") = 0
        END
    ) NOT VALID;
