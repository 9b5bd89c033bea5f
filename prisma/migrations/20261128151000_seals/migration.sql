-- Columns without a default: each lock is as short as the change of a catalogue row. The version before this one leaves them null.

ALTER TABLE "challenges" ADD COLUMN "demand_seal" TEXT;

ALTER TABLE "challenges" ADD COLUMN "approval_seal" TEXT;

ALTER TABLE "challenges" ADD COLUMN "consumption_seal" TEXT;

ALTER TABLE "otp_issuances" ADD COLUMN "seal" TEXT;
