-- What the service may do, table by table. Run as countersign_owner after every migration. It grants missing rights and revokes
-- surplus ones.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM countersign_service;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM countersign_service;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM countersign_service;

-- The user directory: entries are created, changed and erased.
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO countersign_service;
-- What counts against a subject is never deleted.
GRANT SELECT, INSERT, UPDATE ON subject_standings TO countersign_service;
-- Only retention deletes challenges, together with their issuances.
GRANT SELECT, INSERT, UPDATE, DELETE ON challenges TO countersign_service;
GRANT SELECT, INSERT, UPDATE ON otp_issuances TO countersign_service;
-- Lock notices, deleted with their challenges.
GRANT SELECT, INSERT, UPDATE ON lock_notices TO countersign_service;
-- Counts the codes to each mailbox, and the purge deletes what counts no more.
GRANT SELECT, INSERT, UPDATE, DELETE ON mailbox_issuances TO countersign_service;
-- One row for each user who tried a challenge of somebody else, for two days.
GRANT SELECT, INSERT, DELETE ON challenge_strangers TO countersign_service;
-- Security notices, which the purge deletes.
GRANT SELECT, INSERT, UPDATE, DELETE ON security_notices TO countersign_service;
-- The audit trail: the service adds to it. A trigger of the owner chains each event to the one before.
GRANT SELECT, INSERT ON challenge_events TO countersign_service;
GRANT USAGE ON SEQUENCE challenge_events_id_seq TO countersign_service;
GRANT SELECT ON trail_heads TO countersign_service;
GRANT SELECT, INSERT ON trail_anchors TO countersign_service;
-- A function of the owner deletes old events, and checks their age. trail_retention has the least age, which the service cannot change.
GRANT SELECT ON trail_retention TO countersign_service;
GRANT EXECUTE ON FUNCTION purge_challenge_events(integer, integer) TO countersign_service;
-- What services hear of. A trigger of the owner adds the rows, so the service cannot make an event up.
GRANT SELECT, UPDATE, DELETE ON service_events TO countersign_service;
GRANT SELECT, UPDATE, DELETE ON challenge_expiries TO countersign_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints TO countersign_service;
-- Readiness checks that all migrations are applied.
GRANT SELECT ON _prisma_migrations TO countersign_service;
