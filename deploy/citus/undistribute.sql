-- Takes distribute.sql back: all rows return to the coordinator, and keys and functions are those of the migrations again. Run it as
-- countersign_owner on the coordinator, with the service stopped. The coordinator needs room for all rows. Afterwards run grants.sql of
-- deploy/postgresql, and start the service with DATABASE_SHARDING=none.

BEGIN;

SET LOCAL citus.enable_unsafe_triggers = on;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL lock_timeout = 0;

-- What functions.sql, decisions.sql and shards.sql made beside the functions of the migrations.
DO $$
DECLARE
    made RECORD;
BEGIN
    FOR made IN
        SELECT p.oid::regprocedure AS signature
        FROM pg_proc p JOIN pg_proc of ON of.pronamespace = p.pronamespace AND of.proname LIKE '%\_anywhere'
        WHERE p.pronamespace = 'public'::regnamespace
            AND p.proname ~ ('^' || regexp_replace(of.proname, '_anywhere$', '') || '(_anywhere|_here|_on_\d+)?$')
    LOOP
        EXECUTE format('DROP FUNCTION %s', made.signature);
    END LOOP;
END;
$$;
DROP FUNCTION note_stranger(INTEGER, JSON);
DROP FUNCTION hold_shards(JSON);
DROP FUNCTION parts_here(JSON);
DROP FUNCTION cluster_id();
DROP TABLE idempotency_keys;
DROP TABLE sharding;

ALTER TABLE lock_notices DROP CONSTRAINT lock_notices_challenge_id_fkey;
ALTER TABLE otp_issuances DROP CONSTRAINT otp_issuances_challenge_id_fkey;
ALTER TABLE challenges DROP CONSTRAINT challenges_subject_user_id_fkey;

SELECT undistribute_table('mailbox_issuances');
SELECT undistribute_table('challenge_events');
SELECT undistribute_table('challenge_expiries');
SELECT undistribute_table('service_events');
SELECT undistribute_table('trail_heads');
SELECT undistribute_table('challenge_strangers');
SELECT undistribute_table('security_notices');
SELECT undistribute_table('lock_notices');
SELECT undistribute_table('otp_issuances');
SELECT undistribute_table('challenges');
SELECT undistribute_table('users');
SELECT undistribute_table('subject_standings');
SELECT undistribute_table('trail_retention');
SELECT undistribute_table('webhook_endpoints');

ALTER TABLE mailbox_issuances DROP CONSTRAINT mailbox_issuances_pkey;
ALTER TABLE mailbox_issuances DROP COLUMN bucket;
ALTER TABLE mailbox_issuances ADD CONSTRAINT mailbox_issuances_pkey PRIMARY KEY (mailbox);
ALTER TABLE users DROP CONSTRAINT users_pkey;
ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY (user_id);
ALTER TABLE subject_standings DROP CONSTRAINT subject_standings_pkey;
ALTER TABLE subject_standings ADD CONSTRAINT subject_standings_pkey PRIMARY KEY (subject_user_id);
ALTER TABLE challenges DROP CONSTRAINT challenges_pkey;
ALTER TABLE challenges ADD CONSTRAINT challenges_pkey PRIMARY KEY (id);
ALTER TABLE otp_issuances DROP CONSTRAINT otp_issuances_pkey;
ALTER TABLE otp_issuances ADD CONSTRAINT otp_issuances_pkey PRIMARY KEY (id);
ALTER TABLE lock_notices DROP CONSTRAINT lock_notices_pkey;
ALTER TABLE lock_notices ADD CONSTRAINT lock_notices_pkey PRIMARY KEY (id);
ALTER TABLE security_notices DROP CONSTRAINT security_notices_pkey;
ALTER TABLE security_notices ADD CONSTRAINT security_notices_pkey PRIMARY KEY (id);
ALTER TABLE challenge_strangers DROP CONSTRAINT challenge_strangers_pkey;
ALTER TABLE challenge_strangers ADD CONSTRAINT challenge_strangers_pkey PRIMARY KEY (challenge_id, user_id);
ALTER TABLE challenge_events DROP CONSTRAINT challenge_events_pkey;
ALTER TABLE challenge_events ADD CONSTRAINT challenge_events_pkey PRIMARY KEY (id);
ALTER TABLE trail_heads DROP CONSTRAINT trail_heads_pkey;
ALTER TABLE trail_heads ADD CONSTRAINT trail_heads_pkey PRIMARY KEY (subject_user_id);
ALTER TABLE service_events DROP CONSTRAINT service_events_pkey;
ALTER TABLE service_events ADD CONSTRAINT service_events_pkey PRIMARY KEY (event_id);
ALTER TABLE challenge_expiries DROP CONSTRAINT challenge_expiries_pkey;
ALTER TABLE challenge_expiries ADD CONSTRAINT challenge_expiries_pkey PRIMARY KEY (challenge_id);

DROP INDEX challenges_id_idx;
DROP INDEX otp_issuances_id_idx;
DROP INDEX challenge_events_id_idx;
DROP INDEX challenges_client_id_idempotency_key_key;
CREATE UNIQUE INDEX challenges_client_id_idempotency_key_key ON challenges (client_id, idempotency_key);
DROP INDEX otp_issuances_challenge_id_number_key;
CREATE UNIQUE INDEX otp_issuances_challenge_id_number_key ON otp_issuances (challenge_id, number);
DROP INDEX service_events_position_key;
CREATE UNIQUE INDEX service_events_position_key ON service_events (position) WHERE position IS NOT NULL;

ALTER TABLE challenges ADD CONSTRAINT challenges_subject_user_id_fkey
    FOREIGN KEY (subject_user_id) REFERENCES subject_standings (subject_user_id) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE otp_issuances ADD CONSTRAINT otp_issuances_challenge_id_fkey
    FOREIGN KEY (challenge_id) REFERENCES challenges (id) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE lock_notices ADD CONSTRAINT lock_notices_challenge_id_fkey
    FOREIGN KEY (challenge_id) REFERENCES challenges (id) ON DELETE CASCADE ON UPDATE CASCADE;

-- Ids rise on from those of the cluster.
SELECT setval('challenge_events_id_seq', greatest(last_value, (SELECT coalesce(max(id), 1) FROM challenge_events))) FROM challenge_events_id_seq;

\ir plain-functions.sql

COMMIT;
