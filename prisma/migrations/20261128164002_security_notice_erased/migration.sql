-- True: the user was erased after the notice was queued, so its outcome takes the address along.
ALTER TABLE "security_notices" ADD COLUMN "recipient_erased" BOOLEAN NOT NULL DEFAULT false;
