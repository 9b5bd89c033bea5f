-- Where services get the events of their challenges, one row for each client that gets them. A new table, which the version before does
-- not know.
CREATE TABLE "webhook_endpoints" (
    "client_id" TEXT NOT NULL,
    -- Null if the service only reads its events, with a cursor.
    "url" TEXT,
    -- What the secrets are derived from, beside a key of OTP_KEYS. No secret is stored.
    "secrets" JSONB NOT NULL,
    "registered_by" TEXT NOT NULL,
    -- Since when no delivery succeeded. Null after a success.
    "failing_since" TIMESTAMPTZ(3),
    "paused_at" TIMESTAMPTZ(3),
    -- When a paused endpoint gets its next try. Null if it gets none until somebody resumes it.
    "probe_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY ("client_id"),
    CONSTRAINT "webhook_endpoints_registered_by_check" CHECK ("registered_by" IN ('configuration', 'service')),
    CONSTRAINT "webhook_endpoints_probe_check" CHECK ("probe_at" IS NULL OR "paused_at" IS NOT NULL)
) WITH (fillfactor = 80);
