-- Alone in its migration. The chain leads to each event about a user, except to those from before the chains. No new event is in this
-- index: each has a position.
CREATE INDEX CONCURRENTLY "challenge_events_before_chains_idx" ON "challenge_events"("subject_user_id") WHERE "position" IS NULL;
