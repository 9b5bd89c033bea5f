-- Alone in its migration, for the same search, among the addresses that get no mail. No decision about a code changes them, so those
-- updates stay HOT.
CREATE INDEX CONCURRENTLY "subject_standings_suppressed_mailbox_hash_idx" ON "subject_standings"(sha256(lower("suppressed_address" COLLATE "C")::bytea)) WHERE "suppressed_address" IS NOT NULL;
