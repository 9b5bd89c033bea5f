-- Alone in its migration, which is then no transaction. Fills the buckets of the rows from before, a mebibyte of a table at a time, each in a
-- transaction of its own. Waits for no row: one that a session has locked comes in the next round. A run that was cut off is repeated,
-- and goes on where it was.
DO $$
DECLARE
    pages CONSTANT INTEGER := 128;
    place TEXT[];
    page BIGINT;
    is_filled BOOLEAN;
BEGIN
    FOREACH place SLICE 1 IN ARRAY ARRAY[
        ['users', 'bucket_of(user_id)'],
        ['subject_standings', 'bucket_of(subject_user_id)'],
        ['challenges', 'bucket_of(subject_user_id)'],
        ['otp_issuances', 'bucket_of(subject_user_id)'],
        ['lock_notices', 'bucket_of(subject_user_id)'],
        ['security_notices', 'bucket_of(subject_user_id)'],
        ['challenge_events', 'bucket_of(subject_user_id)'],
        ['trail_heads', 'bucket_of(subject_user_id)'],
        ['service_events', 'coalesce(
            (SELECT bucket_of(c.subject_user_id) FROM challenges c WHERE c.id = t.challenge_id),
            (''x'' || right(challenge_id::text, 3))::bit(12)::integer
        )'],
        ['challenge_expiries', 'coalesce(
            (SELECT bucket_of(c.subject_user_id) FROM challenges c WHERE c.id = t.challenge_id),
            (''x'' || right(challenge_id::text, 3))::bit(12)::integer
        )'],
        ['challenge_strangers', '(''x'' || right(challenge_id::text, 3))::bit(12)::integer']
    ] LOOP
        LOOP
            page := 0;
            WHILE page * current_setting('block_size')::integer < pg_relation_size(place[1]::regclass) LOOP
                PERFORM set_config('countersign.bucket', 'on', TRUE);
                EXECUTE format(
                    'UPDATE %1$I t SET bucket = %2$s WHERE ctid = ANY(ARRAY(
                        SELECT ctid FROM %1$I WHERE bucket IS NULL AND ctid >= $1 AND ctid < $2 FOR NO KEY UPDATE SKIP LOCKED
                    ))',
                    place[1], place[2]
                ) USING format('(%s,0)', page)::tid, format('(%s,0)', page + pages)::tid;
                COMMIT;
                page := page + pages;
            END LOOP;
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I WHERE bucket IS NULL)', place[1]) INTO is_filled;
            EXIT WHEN is_filled;
            COMMIT;
            PERFORM pg_sleep(0.2);
        END LOOP;
    END LOOP;
END;
$$;
