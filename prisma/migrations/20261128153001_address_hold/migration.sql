-- Null: the address is the first of its user, or was changed before the service kept the time.
ALTER TABLE "users" ADD COLUMN "email_changed_at" TIMESTAMPTZ(3);
