-- The two roles of Countersign. Run this once as a superuser, in the database of Countersign, before the first migration. Then give
-- each role a password (\password countersign_owner) or a certificate. A second run changes nothing.
--
-- countersign_owner owns the tables and migrates them. The service connects as countersign_service.

DO $$ BEGIN CREATE ROLE countersign_owner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE countersign_service LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- Behind PgBouncer the service cannot set these itself. A longer statement is a fault, and must not block others.
ALTER ROLE countersign_service SET statement_timeout = '5s';
ALTER ROLE countersign_service SET lock_timeout = '1s';
ALTER ROLE countersign_service SET idle_in_transaction_session_timeout = '5s';
-- A migration that waits for a lock makes all other queries wait behind it. So it gives up, and somebody runs it again.
ALTER ROLE countersign_owner SET lock_timeout = '3s';

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO countersign_owner;
GRANT USAGE ON SCHEMA public TO countersign_service;
