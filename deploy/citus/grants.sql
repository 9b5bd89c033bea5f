-- What the service may do on a Citus cluster, beside what deploy/postgresql/grants.sql grants. Run it after that one, as countersign_owner, on
-- the coordinator, and again after a server was added. Citus takes it to all servers.

-- Citus creates these on another server with the rights that a new function has, which let everybody run it as its owner.
REVOKE ALL ON FUNCTION chain_challenge_event() FROM PUBLIC;
REVOKE ALL ON FUNCTION order_trail_anchor() FROM PUBLIC;
REVOKE ALL ON FUNCTION queue_service_events() FROM PUBLIC;
REVOKE ALL ON FUNCTION purge_challenge_events(integer, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION hold_shards(json) FROM PUBLIC;

-- The decisions, with the rights of the service. Everybody may call the copies for one shard: they have the rights of the caller.
GRANT EXECUTE ON FUNCTION load_step_ups(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION open_challenges(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION save_decisions(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION record_attempts(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION load_mail_outcomes(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION save_reports(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION claim_issuances(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION note_stranger(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION reserve_keys(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION count_codes(integer, json) TO countersign_service;
GRANT EXECUTE ON FUNCTION hold_shards(json) TO countersign_service;
-- Keys are reserved, and go with their challenges.
GRANT SELECT, INSERT, DELETE ON idempotency_keys TO countersign_service;
GRANT SELECT ON sharding TO countersign_service;
