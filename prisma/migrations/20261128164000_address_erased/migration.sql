-- Null: no entry of the subject was erased, or the version before erased it.
ALTER TABLE "subject_standings" ADD COLUMN "address_erased_at" TIMESTAMPTZ(3);
