-- As before, with the bucket of the subject, like each statement about one subject. The index on subject and deadline still finds the rows.
CREATE OR REPLACE FUNCTION "has_room_for_challenge"("subject" TEXT, "client" TEXT, "at" TIMESTAMPTZ, "most" INTEGER, "waits" BOOLEAN)
RETURNS BOOLEAN LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    place CONSTANT BIGINT := hashtextextended("subject" || chr(31) || "client", 0);
BEGIN
    IF "waits" THEN
        PERFORM pg_advisory_xact_lock(place);
    ELSIF NOT pg_try_advisory_xact_lock(place) THEN
        RETURN NULL;
    END IF;
    RETURN "most" > (
        SELECT count(*)
        FROM (
            SELECT
            FROM "challenges" c
            WHERE c."bucket" = "bucket_of"("subject") AND c."subject_user_id" = "subject" AND c."client_id" = "client"
                AND c."status" IN ('pending', 'verified') AND c."expires_at" > "at"
            LIMIT "most"
        ) AS live
    );
END;
$$;
