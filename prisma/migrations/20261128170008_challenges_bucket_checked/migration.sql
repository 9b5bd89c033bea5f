-- A migration of its own, because the lock of the one before would last as long as this scan. Reads and writes go on meanwhile.

ALTER TABLE "challenges" VALIDATE CONSTRAINT "challenges_bucket_check";
