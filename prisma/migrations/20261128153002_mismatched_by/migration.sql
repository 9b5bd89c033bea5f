-- The idempotency keys of the calls that tried to consume a challenge for another operation. Null: there was none.
ALTER TABLE "challenges" ADD COLUMN "mismatched_by" TEXT[];
