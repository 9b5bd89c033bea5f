-- When a mailbox got codes within the last hour, over all subjects. The address itself is not here: only its hash, for a day at most.
CREATE TABLE "mailbox_issuances" (
    "mailbox" BYTEA NOT NULL,
    "issued_at" TIMESTAMPTZ(3)[] NOT NULL,

    CONSTRAINT "mailbox_issuances_pkey" PRIMARY KEY ("mailbox")
) WITH (fillfactor = 80);

-- Counts one more code for a mailbox, unless it had `most` in the hour before `at`. Two calls for one mailbox wait for each other.
CREATE FUNCTION "count_code_for_mailbox"("address" TEXT, "at" TIMESTAMPTZ, "most" INTEGER)
RETURNS BOOLEAN LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO "mailbox_issuances" AS m ("mailbox", "issued_at")
    VALUES (sha256(convert_to("address", 'UTF8')), ARRAY["at"])
    ON CONFLICT ("mailbox") DO UPDATE
    SET "issued_at" = ARRAY(SELECT t FROM unnest(m."issued_at") AS t WHERE t > "at" - interval '1 hour' ORDER BY t) || "at"
    WHERE "most" > (SELECT count(*) FROM unnest(m."issued_at") AS t WHERE t > "at" - interval '1 hour');
    RETURN FOUND;
END;
$$;
