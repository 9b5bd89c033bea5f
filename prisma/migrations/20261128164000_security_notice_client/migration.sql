-- The client whose brand the mail has. A column without a default, which the version before this one neither reads nor writes.
ALTER TABLE "security_notices" ADD COLUMN "client_id" TEXT;
