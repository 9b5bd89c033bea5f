-- The trigger of the migration before has taken its place. The CHECK hashed the subject again at each change of a challenge.
ALTER TABLE "challenges" DROP CONSTRAINT "challenges_bucket_check";
