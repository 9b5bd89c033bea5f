-- What the service may do, table by table. Run as countersign_owner after each migration, and again after the next: it grants what is
-- missing and takes what is too much.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM countersign_service;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM countersign_service;

-- The user directory: entries come, change and are erased.
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO countersign_service;
-- What is held against a subject is never deleted.
GRANT SELECT, INSERT, UPDATE ON subject_standings TO countersign_service;
-- Deleted by retention alone, with the issuances that belong to them.
GRANT SELECT, INSERT, UPDATE, DELETE ON challenges TO countersign_service;
GRANT SELECT, INSERT, UPDATE ON otp_issuances TO countersign_service;
-- Warnings of a lock, deleted with their challenges.
GRANT SELECT, INSERT, UPDATE ON lock_notices TO countersign_service;
-- The audit trail: nobody changes it, and a trigger lets retention alone delete.
GRANT SELECT, INSERT, DELETE ON challenge_events TO countersign_service;
GRANT USAGE ON SEQUENCE challenge_events_id_seq TO countersign_service;
-- Readiness looks whether all migrations are there.
GRANT SELECT ON _prisma_migrations TO countersign_service;
