-- Spreads the tables over the servers of a Citus cluster, by the bucket of the subject (decision 67). Run it once, as countersign_owner, on the
-- coordinator, with the service stopped: `psql --set ON_ERROR_STOP=1 --file deploy/citus/distribute.sql`. Before it: roles.sql, and all
-- migrations. After it: functions.sql, decisions.sql, shards.sql and grants.sql. It is one transaction, and undistribute.sql takes it back.

BEGIN;

-- The triggers of the trail go along to each shard. Each of their statements names the bucket, so it stays on the server of the row.
SET LOCAL citus.enable_unsafe_triggers = on;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL lock_timeout = 0;

-- Other functions call it, so Citus does not see that they need it on each server.
SELECT create_distributed_function('bucket_of(text)');

-- A key of a table on several servers begins with the bucket. The keys of one PostgreSQL are stricter, and stay what they are there.
ALTER TABLE lock_notices DROP CONSTRAINT lock_notices_challenge_id_fkey;
ALTER TABLE otp_issuances DROP CONSTRAINT otp_issuances_challenge_id_fkey;
ALTER TABLE challenges DROP CONSTRAINT challenges_subject_user_id_fkey;

ALTER TABLE users DROP CONSTRAINT users_pkey;
ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY (bucket, user_id);
ALTER TABLE subject_standings DROP CONSTRAINT subject_standings_pkey;
ALTER TABLE subject_standings ADD CONSTRAINT subject_standings_pkey PRIMARY KEY (bucket, subject_user_id);
ALTER TABLE challenges DROP CONSTRAINT challenges_pkey;
ALTER TABLE challenges ADD CONSTRAINT challenges_pkey PRIMARY KEY (bucket, id);
ALTER TABLE otp_issuances DROP CONSTRAINT otp_issuances_pkey;
ALTER TABLE otp_issuances ADD CONSTRAINT otp_issuances_pkey PRIMARY KEY (bucket, id);
ALTER TABLE lock_notices DROP CONSTRAINT lock_notices_pkey;
ALTER TABLE lock_notices ADD CONSTRAINT lock_notices_pkey PRIMARY KEY (bucket, id);
ALTER TABLE security_notices DROP CONSTRAINT security_notices_pkey;
ALTER TABLE security_notices ADD CONSTRAINT security_notices_pkey PRIMARY KEY (bucket, id);
ALTER TABLE challenge_strangers DROP CONSTRAINT challenge_strangers_pkey;
ALTER TABLE challenge_strangers ADD CONSTRAINT challenge_strangers_pkey PRIMARY KEY (bucket, challenge_id, user_id);
ALTER TABLE challenge_events DROP CONSTRAINT challenge_events_pkey;
ALTER TABLE challenge_events ADD CONSTRAINT challenge_events_pkey PRIMARY KEY (bucket, id);
ALTER TABLE trail_heads DROP CONSTRAINT trail_heads_pkey;
ALTER TABLE trail_heads ADD CONSTRAINT trail_heads_pkey PRIMARY KEY (bucket, subject_user_id);
ALTER TABLE service_events DROP CONSTRAINT service_events_pkey;
ALTER TABLE service_events ADD CONSTRAINT service_events_pkey PRIMARY KEY (bucket, event_id);
ALTER TABLE challenge_expiries DROP CONSTRAINT challenge_expiries_pkey;
ALTER TABLE challenge_expiries ADD CONSTRAINT challenge_expiries_pkey PRIMARY KEY (bucket, challenge_id);

-- A mailbox has no subject, so its bucket comes from the hash of its address.
ALTER TABLE mailbox_issuances ADD COLUMN bucket INTEGER;
UPDATE mailbox_issuances SET bucket = get_byte(mailbox, 0) << 4 | get_byte(mailbox, 1) >> 4;
ALTER TABLE mailbox_issuances DROP CONSTRAINT mailbox_issuances_pkey;
ALTER TABLE mailbox_issuances ADD CONSTRAINT mailbox_issuances_pkey PRIMARY KEY (bucket, mailbox);

DROP INDEX challenges_client_id_idempotency_key_key;
CREATE UNIQUE INDEX challenges_client_id_idempotency_key_key ON challenges (bucket, client_id, idempotency_key);
DROP INDEX otp_issuances_challenge_id_number_key;
CREATE UNIQUE INDEX otp_issuances_challenge_id_number_key ON otp_issuances (bucket, challenge_id, number);
DROP INDEX service_events_position_key;
CREATE UNIQUE INDEX service_events_position_key ON service_events (bucket, position) WHERE position IS NOT NULL;

-- A purge and a search by time walk the ids of all buckets, as the keys of one PostgreSQL let them.
CREATE INDEX challenges_id_idx ON challenges (id);
CREATE INDEX otp_issuances_id_idx ON otp_issuances (id);
CREATE INDEX challenge_events_id_idx ON challenge_events (id);

-- Each server has all rows of these.
SELECT create_reference_table('webhook_endpoints');
SELECT create_reference_table('trail_retention');

SELECT create_distributed_table('subject_standings', 'bucket', colocate_with := 'none');
SELECT create_distributed_table('users', 'bucket', colocate_with := 'subject_standings');
SELECT create_distributed_table('challenges', 'bucket', colocate_with := 'subject_standings');
SELECT create_distributed_table('otp_issuances', 'bucket', colocate_with := 'subject_standings');
SELECT create_distributed_table('lock_notices', 'bucket', colocate_with := 'subject_standings');
SELECT create_distributed_table('security_notices', 'bucket', colocate_with := 'subject_standings');
SELECT create_distributed_table('challenge_strangers', 'bucket', colocate_with := 'subject_standings');
SELECT create_distributed_table('trail_heads', 'bucket', colocate_with := 'subject_standings');
SELECT create_distributed_table('service_events', 'bucket', colocate_with := 'subject_standings');
SELECT create_distributed_table('challenge_expiries', 'bucket', colocate_with := 'subject_standings');
-- Copies the trail as it is: its triggers would give each event another place.
ALTER TABLE challenge_events DISABLE TRIGGER USER;
SELECT create_distributed_table('challenge_events', 'bucket', colocate_with := 'subject_standings');
ALTER TABLE challenge_events ENABLE TRIGGER USER;
SELECT create_distributed_table('mailbox_issuances', 'bucket', colocate_with := 'subject_standings');
-- trail_anchors stays on the coordinator.

ALTER TABLE challenges ADD CONSTRAINT challenges_subject_user_id_fkey
    FOREIGN KEY (bucket, subject_user_id) REFERENCES subject_standings (bucket, subject_user_id) ON DELETE RESTRICT;
ALTER TABLE otp_issuances ADD CONSTRAINT otp_issuances_challenge_id_fkey
    FOREIGN KEY (bucket, challenge_id) REFERENCES challenges (bucket, id) ON DELETE CASCADE;
ALTER TABLE lock_notices ADD CONSTRAINT lock_notices_challenge_id_fkey
    FOREIGN KEY (bucket, challenge_id) REFERENCES challenges (bucket, id) ON DELETE CASCADE;

-- A key of a client leads to a subject, and not the other way. So it has a table of its own, and a bucket by client and key.
CREATE TABLE idempotency_keys (
    bucket INTEGER NOT NULL,
    place TEXT NOT NULL,
    challenge_id UUID NOT NULL,
    fingerprint TEXT NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (bucket, place)
);
SELECT create_distributed_table('idempotency_keys', 'bucket', colocate_with := 'subject_standings');
INSERT INTO idempotency_keys (bucket, place, challenge_id, fingerprint)
SELECT bucket_of(place), place, id, request_fingerprint
FROM challenges, LATERAL (SELECT client_id || chr(31) || idempotency_key AS place) AS of_key;

-- Ids from before carry no bucket. A later one that is not where it says is not there at all.
CREATE TABLE sharding (since TIMESTAMPTZ NOT NULL);
INSERT INTO sharding VALUES (clock_timestamp());

COMMIT;
