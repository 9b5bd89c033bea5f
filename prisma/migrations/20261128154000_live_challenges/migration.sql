-- Whether a subject may have one more live challenge at a client. A call for the same two waits until the one before has committed.
-- Each statement in a volatile function has a snapshot of its own, so this count sees what that one stored.

CREATE FUNCTION "has_room_for_challenge"("subject" TEXT, "client" TEXT, "at" TIMESTAMPTZ, "most" INTEGER, "waits" BOOLEAN)
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
            WHERE c."subject_user_id" = "subject" AND c."client_id" = "client"
                AND c."status" IN ('pending', 'verified') AND c."expires_at" > "at"
            LIMIT "most"
        ) AS live
    );
END;
$$;
