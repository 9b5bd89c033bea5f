-- The language of the entry before. Null: the entry that there is says it.
ALTER TABLE "security_notices" ADD COLUMN "locale" TEXT;
