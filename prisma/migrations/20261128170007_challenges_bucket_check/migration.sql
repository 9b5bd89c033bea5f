-- Nobody would find a challenge in the bucket of another subject, so nobody would report it as forged. Who gives it to another subject has to
-- change both, and the seals show that. Not validated, so the lock is short. The next migration checks the rows that are there.
--
-- contract: the version before changes no subject, and the trigger fills the bucket before the check.
ALTER TABLE "challenges" ADD CONSTRAINT "challenges_bucket_check" CHECK ("bucket" = "bucket_of"("subject_user_id")) NOT VALID;
