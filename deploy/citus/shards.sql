-- Gives each shard its own copy of each function whose name ends in _anywhere, and makes those that take the copy of the right shard: one with
-- the name and _here, for a session with the server of the rows, and one with the name alone, which Citus runs there (decision 67). Run it as countersign_owner on the coordinator, after functions.sql and decisions.sql, and after a shard was split. It is one
-- transaction. A second run changes nothing.
--
-- Citus plans each statement about a table that it spreads, also where the rows are. That takes it five times what PostgreSQL takes for the
-- statement. A copy names the table of its shard, as in challenges_102008, so that PostgreSQL alone runs its statements.
--
-- A shard can move to another server. So a call that writes first takes the lock that Citus takes before it writes, and then looks which
-- shards are here. A move waits for the end of that call. What is elsewhere, or in a shard without copies, goes to the function for any server.

DO $shards$
DECLARE
    shards CONSTANT JSON := (
        -- For each shard of challenges: the tables of the shards with the same rows, by the name of the whole table.
        SELECT json_agg(json_build_object('id', shard.shardid, 'first', shard.shardminvalue, 'tables', (
            SELECT json_object_agg(part.logicalrelid, format('%s_%s', part.logicalrelid, part.shardid))
            FROM pg_dist_shard part JOIN pg_dist_partition USING (logicalrelid)
            WHERE colocationid = of_challenges.colocationid AND part.shardminvalue = shard.shardminvalue
                OR part.logicalrelid = 'webhook_endpoints'::regclass
        )) ORDER BY shard.shardminvalue::integer)
        FROM pg_dist_shard shard JOIN pg_dist_partition of_challenges USING (logicalrelid)
        WHERE logicalrelid = 'challenges'::regclass
    );
    source RECORD;
    shard RECORD;
    tables RECORD;
    copy TEXT;
    branches TEXT;
    of_input TEXT;
BEGIN
    -- Citus creates functions on one server after the other.
    SET LOCAL citus.multi_shard_modify_mode = 'sequential';

    -- A copy of a shard that is gone would stay. A result may have another column than before, and is then not to be replaced.
    FOR source IN
        SELECT p.oid::regprocedure AS signature
        FROM pg_proc p JOIN pg_proc of ON of.pronamespace = p.pronamespace AND of.proname LIKE '%\_anywhere'
        WHERE p.pronamespace = 'public'::regnamespace
            AND p.proname ~ ('^' || regexp_replace(of.proname, '_anywhere$', '') || '(_here|_on_\d+)?$')
            AND (
                pg_get_function_result(p.oid) <> pg_get_function_result(of.oid)
                OR substring(p.proname FROM '_on_(\d+)$') NOT IN (SELECT s ->> 'id' FROM json_array_elements(shards) AS s)
            )
    LOOP
        EXECUTE format('DROP FUNCTION %s', source.signature);
    END LOOP;

    -- Written out in both functions below: each has another search path, for which PostgreSQL would plan a function of its own anew.
    of_input := format(
        $text$(%L::bigint[])[width_bucket(worker_hash((input ->> 'bucket')::integer), %L::integer[])]$text$,
        ARRAY(SELECT of ->> 'id' FROM json_array_elements(shards) AS of), ARRAY(SELECT of ->> 'first' FROM json_array_elements(shards) AS of)
    );

    -- By it a client knows that a server is one of this cluster.
    IF to_regproc('cluster_id') IS NULL THEN
        EXECUTE format('CREATE FUNCTION cluster_id() RETURNS UUID LANGUAGE sql IMMUTABLE AS $body$ SELECT %L::uuid $body$', gen_random_uuid());
    END IF;

    -- Without the rights of the owner, Citus refuses the lock. 5 is SHARE, as for each write. A move takes EXCLUSIVE.
    EXECUTE format(
        $text$
        CREATE OR REPLACE FUNCTION hold_shards("inputs" JSON) RETURNS VOID LANGUAGE plpgsql VOLATILE SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            PERFORM lock_shard_metadata(5, array_agg(DISTINCT %s)) FROM json_array_elements(inputs) AS input;
        END;
        $body$
        $text$,
        of_input
    );

    -- The inputs of each shard. `shard` is null for a shard that is not on this server.
    EXECUTE format(
        $text$
        CREATE OR REPLACE FUNCTION parts_here("inputs" JSON) RETURNS TABLE ("shard" BIGINT, "part" JSON) LANGUAGE plpgsql STABLE AS $body$
        BEGIN
            RETURN QUERY
            SELECT (
                SELECT placement.shardid FROM pg_dist_placement placement
                WHERE placement.shardid = given.of_shard AND placement.groupid = (SELECT groupid FROM pg_dist_local_group)
            ), given.inputs
            FROM (
                SELECT %s AS of_shard, json_agg(input) AS inputs
                FROM json_array_elements(inputs) AS input
                GROUP BY of_shard
                ORDER BY of_shard
            ) AS given;
        END;
        $body$
        $text$,
        of_input
    );

    FOR source IN
        SELECT p.oid, regexp_replace(proname, '_anywhere$', '') AS name, proargnames[1] = 'inputs' AS takes_inputs,
            CASE provolatile WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END AS volatility,
            pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
            (SELECT string_agg(quote_ident(argument), ', ') FROM unnest(proargnames[:pronargs]) AS argument) AS passed
        FROM pg_proc p
        WHERE pronamespace = 'public'::regnamespace AND proname LIKE '%\_anywhere'
    LOOP
        branches := '';
        FOR shard IN SELECT of ->> 'id' AS id, of -> 'tables' AS tables FROM json_array_elements(shards) AS of LOOP
            copy := replace(pg_get_functiondef(source.oid), source.name || '_anywhere', source.name || '_on_' || shard.id);
            FOR tables IN SELECT key AS whole, value AS part FROM json_each_text(shard.tables) LOOP
                copy := regexp_replace(copy, '\m(FROM|JOIN|UPDATE|INTO)( public\.| )' || tables.whole || '\M', '\1\2' || tables.part, 'g');
            END LOOP;
            EXECUTE copy;
            branches := branches || CASE
                WHEN source.takes_inputs THEN format(
                    E'\n            WHEN %s THEN RETURN QUERY SELECT * FROM %s_on_%s(of_shard.part, shared);', shard.id, source.name, shard.id
                )
                ELSE format(
                    E'\n        WHEN %L THEN RETURN public.%s_on_%s(%s);', shard.tables ->> 'challenge_events', source.name, shard.id, source.passed
                )
            END;
        END LOOP;
        IF source.takes_inputs THEN
            EXECUTE format(
                $text$
                CREATE OR REPLACE FUNCTION %1$s_here("inputs" JSON) RETURNS %2$s LANGUAGE plpgsql %3$s
                SET citus.enable_manual_changes_to_shards = on SET plan_cache_mode = force_generic_plan AS $body$
                DECLARE
                    shared CONSTANT BOOLEAN := json_array_length(inputs) > 1;
                    of_shard RECORD;
                BEGIN
                    %4$s
                    FOR of_shard IN SELECT * FROM parts_here(inputs) LOOP
                        CASE of_shard.shard%5$s
                        ELSE RETURN QUERY SELECT * FROM %1$s_anywhere(of_shard.part, shared);
                        END CASE;
                    END LOOP;
                END;
                $body$
                $text$,
                source.name, source.result, source.volatility,
                CASE source.volatility WHEN 'VOLATILE' THEN 'PERFORM hold_shards(inputs);' ELSE '' END, branches
            );
            EXECUTE format(
                $text$
                CREATE OR REPLACE FUNCTION %1$s("of_bucket" INTEGER, "inputs" JSON) RETURNS %2$s LANGUAGE plpgsql %3$s AS $body$
                BEGIN
                    RETURN QUERY SELECT * FROM %1$s_here(inputs);
                END;
                $body$
                $text$,
                source.name, source.result, source.volatility
            );
            -- Citus runs it where the rows of the bucket are.
            PERFORM create_distributed_function((source.name || '(integer, json)')::regprocedure, 'of_bucket', colocate_with := 'challenges');
        ELSE
            EXECUTE format(
                $text$
                CREATE OR REPLACE FUNCTION %1$s(%2$s) RETURNS %3$s LANGUAGE plpgsql %4$s AS $body$
                BEGIN
                    CASE of_table%5$s
                    ELSE RETURN public.%1$s_anywhere(%6$s);
                    END CASE;
                END;
                $body$
                $text$,
                source.name, source.arguments, source.result, source.volatility, branches, source.passed
            );
        END IF;
    END LOOP;

    REVOKE EXECUTE ON FUNCTION hold_shards(json) FROM PUBLIC;
END;
$shards$;
