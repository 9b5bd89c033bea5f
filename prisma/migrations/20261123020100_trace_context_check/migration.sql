-- A migration of its own, because the lock of the one before would last as long as this scan. Reads and writes go on meanwhile.

ALTER TABLE "otp_issuances" VALIDATE CONSTRAINT "otp_issuances_trace_context_check";
