-- A column without a default, which the version before this one does not read. Each status may have it.
ALTER TABLE "otp_issuances" ADD COLUMN "delayed_at" TIMESTAMPTZ(3);
