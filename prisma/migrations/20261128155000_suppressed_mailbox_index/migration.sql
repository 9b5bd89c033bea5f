-- Alone in its migration, as the index before it, which the version before this one still reads. COLLATE "C" lowers A to Z and
-- nothing else, whatever the language of the database.
CREATE INDEX CONCURRENTLY "subject_standings_suppressed_mailbox_idx" ON "subject_standings"(lower("suppressed_address" COLLATE "C")) WHERE "suppressed_address" IS NOT NULL;
