-- Alone in its migration: CONCURRENTLY, which lets writes go on, cannot be part of a transaction. No update of a challenge changes its
-- deadline, so those stay HOT. An index of the live ones alone would end that, because it would depend on the status.
CREATE INDEX CONCURRENTLY "challenges_subject_user_id_expires_at_idx" ON "challenges"("subject_user_id", "expires_at");
