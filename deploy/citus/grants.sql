-- What the service may do on a Citus cluster, beside what deploy/postgresql/grants.sql grants. Run it after that one, as countersign_owner, on
-- the coordinator. Citus takes it to all servers.

-- Keys are reserved, and go with their challenges.
GRANT SELECT, INSERT, DELETE ON idempotency_keys TO countersign_service;
GRANT SELECT ON sharding TO countersign_service;
