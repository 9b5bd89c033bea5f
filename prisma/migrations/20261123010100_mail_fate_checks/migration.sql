-- A migration of its own, because the lock of the one before would last as long as these two scans. Reads and writes go on meanwhile.

ALTER TABLE "otp_issuances" VALIDATE CONSTRAINT "otp_issuances_status_check";

ALTER TABLE "subject_standings" VALIDATE CONSTRAINT "subject_standings_suppression_check";
