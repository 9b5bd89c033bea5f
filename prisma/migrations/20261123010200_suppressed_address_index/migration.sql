-- Alone in its migration: CONCURRENTLY, which lets writes go on, cannot be part of a transaction. Holds suppressed addresses only,
-- and since no other update of a standing changes one, those stay HOT.
CREATE INDEX CONCURRENTLY "subject_standings_suppressed_address_idx" ON "subject_standings"(lower("suppressed_address")) WHERE "suppressed_address" IS NOT NULL;
