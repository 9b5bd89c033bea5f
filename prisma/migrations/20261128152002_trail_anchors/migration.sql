-- One signed statement an hour about the events since the one before. One table of its own, which the version before does not know.

CREATE TABLE "trail_anchors" (
    "number" INTEGER NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "first_id" BIGINT NOT NULL,
    "last_id" BIGINT NOT NULL,
    "events" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "previous" TEXT NOT NULL,
    "signed_at" TIMESTAMPTZ(3) NOT NULL,
    "key_id" TEXT NOT NULL,
    "signature" TEXT NOT NULL,

    CONSTRAINT "trail_anchors_pkey" PRIMARY KEY ("number")
);

-- However many processes sign at the same time, one anchor an hour is stored.
CREATE UNIQUE INDEX "trail_anchors_hour_key" ON "trail_anchors"("hour");

-- contract: the version before writes nothing here.
CREATE TRIGGER "trail_anchors_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "trail_anchors" FOR EACH STATEMENT EXECUTE FUNCTION "keep_challenge_events"();
