-- The two roles of Countersign. Run once as a superuser, in the database of Countersign, before the first migration; then give each
-- a password (\password countersign_owner) or let it in by certificate. Run again, it changes nothing.
--
-- countersign_owner owns the tables and migrates them. countersign_service is what the service runs as.

DO $$ BEGIN CREATE ROLE countersign_owner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE countersign_service LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- Behind PgBouncer the service cannot ask for these itself: what takes longer is a fault, and must not hold up others.
ALTER ROLE countersign_service SET statement_timeout = '5s';
ALTER ROLE countersign_service SET idle_in_transaction_session_timeout = '5s';
-- A migration that has to wait for a lock makes all others wait behind it: it gives up and is run again.
ALTER ROLE countersign_owner SET lock_timeout = '3s';

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO countersign_owner;
GRANT USAGE ON SCHEMA public TO countersign_service;
