-- Alone in its migration: CONCURRENTLY cannot be part of a transaction. A claim counts the notices about a user within an hour.
CREATE INDEX CONCURRENTLY "security_notices_subject_user_id_happened_at_idx" ON "security_notices"("subject_user_id", "happened_at");
