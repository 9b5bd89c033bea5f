-- contract: the version before goes on inserting events. Without an endpoint the trigger does nothing, and that version registers none.
CREATE TRIGGER "challenge_events_queue" AFTER INSERT ON "challenge_events" REFERENCING NEW TABLE AS "added" FOR EACH STATEMENT EXECUTE FUNCTION "queue_service_events"();
