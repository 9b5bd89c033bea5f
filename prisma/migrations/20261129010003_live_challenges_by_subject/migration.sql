-- Counts the challenges of a subject by its index alone. While a table is new and has no statistics, the index by client and key looked as good
-- to PostgreSQL, and it read all challenges of the client. Its sessions kept that plan until the table was analysed. An index cannot serve
-- IS NOT DISTINCT FROM. The function is otherwise what it was.

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
            WHERE c."subject_user_id" = "subject" AND c."client_id" IS NOT DISTINCT FROM "client"
                AND c."status" IN ('pending', 'verified') AND c."expires_at" > "at"
            LIMIT "most"
        ) AS live
    );
END;
$$;
