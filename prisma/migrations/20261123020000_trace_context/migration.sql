-- A column without a default and a CHECK that is not validated: the lock is as short as the change of a catalogue row, and the version
-- before this one goes on working. The form is that of `traceparent` (W3C Trace Context §3.2), so that nothing else is ever kept here.

ALTER TABLE "otp_issuances"
    ADD COLUMN "trace_context" TEXT,
    ADD CONSTRAINT "otp_issuances_trace_context_check" CHECK ("trace_context" ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$') NOT VALID;
