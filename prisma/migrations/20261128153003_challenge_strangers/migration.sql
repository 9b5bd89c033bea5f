-- Which users tried a challenge of somebody else, so that each of them leaves one event. It has no foreign key: a stranger must not
-- even share a lock on the challenge. The purge deletes old rows.
CREATE TABLE "challenge_strangers" (
    "challenge_id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "challenge_strangers_pkey" PRIMARY KEY ("challenge_id", "user_id")
);
