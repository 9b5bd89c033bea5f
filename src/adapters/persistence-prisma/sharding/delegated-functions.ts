import {
  REPORT,
  REPORT_CHANGES,
  REPORT_GUARD,
  SUPPRESSION_CHANGES,
} from '../mail-outcomes/grouped-mail-outcome-statements.ts'
import { ISSUANCE_COLUMNS } from '../otp-outbox/issuance-row.ts'
import {
  ATTEMPT,
  ATTEMPT_CHANGES,
  ATTEMPT_GUARD,
  TRACE_CONTEXT,
} from '../otp-outbox/otp-outbox-statements.ts'
import { CHALLENGE_COLUMNS } from '../step-ups/challenge-row.ts'
import {
  CHALLENGE_CHANGES,
  DECISION_COLUMNS,
  NEW_CHALLENGE,
  NEW_ISSUANCE,
  OPENING_COLUMNS,
  STANDING_CHANGES,
} from '../step-ups/decision-columns.ts'
import { STANDING_COLUMNS } from '../step-ups/standing-row.ts'
import { USER_COLUMNS } from '../users/user-row.ts'
import { KEY } from './idempotency-keys.ts'
import { COUNTING } from './mailbox-counts.ts'

/*
 * The functions that load and store on the server of a subject, if Citus spreads the tables over several (decision 67). Each does what the
 * statement for several inputs does, by statements that follow each other. Citus would send one that inserts in a WITH to all servers. A
 * statement about one table, with a value for the bucket, has a plan that its session keeps.
 *
 * `deploy/citus/shards.sql` makes the function that the service calls, and a copy of what stands here for each shard. The text here finds
 * rows on any server. A copy names the tables of its shard instead, so that Citus plans nothing within it.
 *
 * `shared` is whether the call has several inputs: those of other shards count.
 *
 * All take the subjects in one order, so that two groups wait for each other's rows in one direction.
 */

/** A function, with the types of its arguments. */
interface DelegatedFunction {
  readonly name: string
  readonly signature: string
  readonly text: string
}

/** The text that finds its rows on any server. */
const anywhere = (name: string): string => `${name}_anywhere`

/** A function that stores its inputs. It returns the place of each that it stored, and of each that has to come alone. */
function storing(name: string, columns: string, subject: string, body: string): DelegatedFunction {
  return {
    name,
    signature: `${name}(integer, json)`,
    text: `CREATE OR REPLACE FUNCTION ${anywhere(name)}("inputs" JSON, "shared" BOOLEAN)
RETURNS TABLE ("n" INTEGER, "alone" BOOLEAN) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    m record;
    e record;
BEGIN
    FOR m IN
        SELECT * FROM json_to_recordset(inputs) AS given (
            ${columns}
        )
        ORDER BY ${subject} COLLATE "C"
    LOOP
    n := m.n;
    alone := false;
    ${body}
    RETURN NEXT;
    END LOOP;
END;
$$;`,
  }
}

/** Goes on with the next input. A row that is locked, or no longer what it was, is for the statement for one. */
const LEAVE_IT_FOR_ALONE = `alone := true;
            RETURN NEXT;
            CONTINUE;`

const STORE_EVENTS = `FOR e IN
        SELECT * FROM json_to_recordset(m.events) AS e ("subjectUserId" text, "challengeId" uuid, type text, at timestamptz, details jsonb)
    LOOP
        INSERT INTO challenge_events (
            bucket, challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details
        )
        VALUES (m.bucket, e."challengeId", e."subjectUserId", e.type, e.at, m.actor, m.request_id, m.remote_address, e.details);
    END LOOP;`

const STORE_LOCK_NOTICE = `IF m.lock_notice IS NOT NULL THEN
        INSERT INTO lock_notices (
            bucket, id, challenge_id, subject_user_id, recipient, locked_at, locked_until, status, delivery_attempts, next_attempt_at
        )
        VALUES (
            m.bucket, (m.lock_notice ->> 'id')::uuid, m.challenge_id, m.subject, m.lock_notice ->> 'recipient',
            (m.lock_notice ->> 'locked_at')::timestamptz, (m.lock_notice ->> 'locked_until')::timestamptz, 'queued', 0,
            (m.lock_notice ->> 'next_attempt_at')::timestamptz
        );
    END IF;`

const STORE_SECURITY_NOTICE = `IF m.security_notice IS NOT NULL THEN
        INSERT INTO security_notices (
            bucket, id, kind, client_id, subject_user_id, recipient, happened_at, locale, status, delivery_attempts, next_attempt_at
        )
        VALUES (
            m.bucket, (m.security_notice ->> 'id')::uuid, m.security_notice ->> 'kind', m.security_notice ->> 'client_id', m.subject,
            m.security_notice ->> 'recipient', (m.security_notice ->> 'happened_at')::timestamptz, m.security_notice ->> 'locale',
            'queued', 0, (m.security_notice ->> 'happened_at')::timestamptz
        );
    END IF;`

/** The version of the standing guards the rest, as in the statement for one PostgreSQL. */
const SAVE_DECISIONS = storing(
  'save_decisions',
  `n integer, ${DECISION_COLUMNS}, lock_notice json, security_notice json`,
  'given.subject',
  `IF shared THEN
        PERFORM FROM subject_standings s
        WHERE s.bucket = m.bucket AND s.subject_user_id = m.subject AND s.version = m.version
        FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            ${LEAVE_IT_FOR_ALONE}
        END IF;
    END IF;
    UPDATE subject_standings s
    SET ${STANDING_CHANGES}
    WHERE s.bucket = m.bucket AND s.subject_user_id = m.subject AND s.version = m.version;
    CONTINUE WHEN NOT FOUND;
    UPDATE challenges c
    SET ${CHALLENGE_CHANGES}
    WHERE c.bucket = m.bucket AND c.id = m.challenge_id AND c.subject_user_id = m.subject;
    CONTINUE WHEN NOT FOUND;
    IF m.issuance_id IS NOT NULL THEN
        INSERT INTO otp_issuances (
        ${NEW_ISSUANCE.columns}
        )
        VALUES (
        ${NEW_ISSUANCE.values}
        );
    END IF;
    ${STORE_LOCK_NOTICE}
    ${STORE_SECURITY_NOTICE}
    ${STORE_EVENTS}`,
)

/** The lock and the count are those of has_room_for_challenge(). The lock is on the server of the subject, as all who count there. */
const OPEN_CHALLENGES = storing(
  'open_challenges',
  `n integer, ${OPENING_COLUMNS}`,
  'given.subject',
  `PERFORM FROM subject_standings s WHERE s.bucket = m.bucket AND s.subject_user_id = m.subject;
    IF NOT FOUND THEN
        IF shared THEN
            ${LEAVE_IT_FOR_ALONE}
        END IF;
        INSERT INTO subject_standings (
            bucket, subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version
        )
        VALUES (m.bucket, m.subject, 0, 0, '{}', 0)
        ON CONFLICT DO NOTHING;
    END IF;
    IF m.most_live IS NOT NULL THEN
        IF NOT shared THEN
            PERFORM pg_advisory_xact_lock(hashtextextended(m.subject || chr(31) || m.client_id, 0));
        ELSIF NOT pg_try_advisory_xact_lock(hashtextextended(m.subject || chr(31) || m.client_id, 0)) THEN
            ${LEAVE_IT_FOR_ALONE}
        END IF;
        SELECT count(*) AS live INTO e FROM challenges c
        WHERE c.bucket = m.bucket AND c.subject_user_id = m.subject AND c.client_id IS NOT DISTINCT FROM m.client_id
            AND c.status IN ('pending', 'verified') AND c.expires_at > m.created_at;
        CONTINUE WHEN e.live >= m.most_live;
    END IF;
    INSERT INTO challenges (
        ${NEW_CHALLENGE.columns}
    )
    VALUES (
        ${NEW_CHALLENGE.values}
    )
    ON CONFLICT DO NOTHING;
    CONTINUE WHEN NOT FOUND;
    ${STORE_EVENTS}`,
)

const RECORD_ATTEMPTS = storing(
  'record_attempts',
  ATTEMPT,
  "(given.event ->> 'subjectUserId')",
  `UPDATE otp_issuances i
    SET ${ATTEMPT_CHANGES}
    WHERE i.bucket = m.bucket AND i.id = m.id AND ${ATTEMPT_GUARD};
    CONTINUE WHEN NOT FOUND;
    INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
    VALUES (
        m.bucket, (m.event ->> 'challengeId')::uuid, m.event ->> 'subjectUserId', m.event ->> 'type',
        (m.event ->> 'at')::timestamptz, 'service', m.event -> 'details'
    );`,
)

/** Locks the standing first and changes it last, as the statement for one PostgreSQL does. */
const SAVE_REPORTS = storing(
  'save_reports',
  `${REPORT}, is_about_code boolean`,
  "coalesce(given.subject, given.events -> 0 ->> 'subjectUserId')",
  `IF m.subject IS NOT NULL THEN
        IF shared THEN
            PERFORM FROM subject_standings s
            WHERE s.bucket = m.bucket AND s.subject_user_id = m.subject AND s.version = m.version
            FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND THEN
            ${LEAVE_IT_FOR_ALONE}
            END IF;
        ELSE
            PERFORM FROM subject_standings s
            WHERE s.bucket = m.bucket AND s.subject_user_id = m.subject AND s.version = m.version
            FOR NO KEY UPDATE;
            CONTINUE WHEN NOT FOUND;
        END IF;
    END IF;
    IF m.is_about_code THEN
        IF shared THEN
            PERFORM FROM otp_issuances i
            WHERE i.bucket = m.bucket AND i.id = m.id
            AND ${REPORT_GUARD}
            FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND THEN
            ${LEAVE_IT_FOR_ALONE}
            END IF;
        END IF;
        UPDATE otp_issuances i
        SET ${REPORT_CHANGES}
        WHERE i.bucket = m.bucket AND i.id = m.id
        AND ${REPORT_GUARD};
        CONTINUE WHEN NOT FOUND;
    END IF;
    IF m.subject IS NOT NULL THEN
        UPDATE subject_standings s
        SET ${SUPPRESSION_CHANGES}
        WHERE s.bucket = m.bucket AND s.subject_user_id = m.subject;
    END IF;
    ${STORE_EVENTS}`,
)

/** The lock lets no two strangers count at once. */
const NOTE_STRANGER: DelegatedFunction = {
  name: 'note_stranger',
  signature: 'note_stranger(integer, json)',
  text: `CREATE OR REPLACE FUNCTION note_stranger("of_bucket" INTEGER, "input" JSON) RETURNS SETOF BOOLEAN LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    m record;
    seen BIGINT;
BEGIN
    SELECT * INTO m FROM json_to_record(input) AS m (challenge_id uuid, user_id text, seen_at timestamptz, most integer);
    PERFORM pg_advisory_xact_lock(hashtextextended(m.challenge_id::text, 1));
    SELECT count(*) INTO seen FROM challenge_strangers t WHERE t.bucket = of_bucket AND t.challenge_id = m.challenge_id;
    IF seen >= m.most THEN
        RETURN;
    END IF;
    INSERT INTO challenge_strangers (bucket, challenge_id, user_id, seen_at)
    VALUES (of_bucket, m.challenge_id, m.user_id, m.seen_at)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN NEXT true;
    END IF;
END;
$$;`,
}

/** Columns of the row types `c`, `s`, `i` and `u`, as results of a function and as their values. */
function resultsOf(...tables: readonly (readonly [table: string, columns: string])[]) {
  const all = tables.flatMap(([table, columns]) =>
    columns.split(', ').map((column) => {
      const [place, alias] = column.split(' AS ') as [string, string]
      return { place, result: `${alias} ${table}.${place.slice(2)}%TYPE` }
    }),
  )
  return {
    columns: all.map(({ result }) => result).join(',\n    '),
    values: all.map(({ place }) => place).join(', '),
  }
}

/** Finds the end of the challenge on the trail. */
const lookForEndOf = (id: string) => `PERFORM FROM challenge_events t
            WHERE t.bucket = m.bucket AND t.challenge_id = ${id}
                AND t.type IN ('challenge-consumed', 'challenge-cancelled', 'challenge-exhausted')
            LIMIT 1;
            set_back := FOUND;`

/**
 * A function that returns rows of the tables for its inputs, each with its place. `variables` keep the rows, as PL/pgSQL declares them.
 */
function returning(
  name: string,
  volatility: 'STABLE' | 'VOLATILE',
  results: string,
  variables: readonly string[],
  body: string,
): DelegatedFunction {
  return {
    name,
    signature: `${name}(integer, json)`,
    text: `-- The result may have another column than before, so the function is not replaced.
DROP FUNCTION IF EXISTS ${anywhere(name)}(JSON, BOOLEAN);
CREATE FUNCTION ${anywhere(name)}("inputs" JSON, "shared" BOOLEAN) RETURNS TABLE (
    n INTEGER,
    ${results}
) LANGUAGE plpgsql ${volatility} AS $$
DECLARE
    m record;
    ${variables.join('\n    ')}
BEGIN
    ${body}
    END LOOP;
END;
$$;`,
  }
}

const LOADED = resultsOf(
  ['challenges', CHALLENGE_COLUMNS],
  ['subject_standings', STANDING_COLUMNS],
  ['otp_issuances', ISSUANCE_COLUMNS],
  ['users', USER_COLUMNS],
)

/**
 * STABLE: all of its statements have the snapshot of the call, so they read what stood at one instant. On a server without the shard, each
 * reads what stands at its own. So the standing comes before the challenge, which comes last: a decision in between has changed the version.
 * The trail comes before the challenge as well, or a challenge that ends meanwhile would look as if somebody had set it back.
 */
const LOAD_STEP_UPS = returning(
  'load_step_ups',
  'STABLE',
  `${LOADED.columns},
    set_back BOOLEAN`,
  ['c challenges;', 's subject_standings;', 'i otp_issuances;', 'u users;'],
  `FOR m IN SELECT * FROM json_to_recordset(inputs) AS given (n integer, id uuid, bucket integer) LOOP
        SELECT * INTO c FROM challenges t WHERE t.bucket = m.bucket AND t.id = m.id;
        CONTINUE WHEN NOT FOUND;
        SELECT * INTO s FROM subject_standings t WHERE t.bucket = m.bucket AND t.subject_user_id = c.subject_user_id;
        set_back := false;
        IF c.status = 'verified' THEN
            ${lookForEndOf('m.id')}
        END IF;
        SELECT * INTO c FROM challenges t WHERE t.bucket = m.bucket AND t.id = m.id;
        set_back := set_back AND c.status = 'verified';
        i := NULL;
        IF c.issuance_count > 0 THEN
            SELECT * INTO i FROM otp_issuances t
            WHERE t.bucket = m.bucket AND t.challenge_id = m.id AND t.number = c.issuance_count;
        END IF;
        SELECT * INTO u FROM users t WHERE t.bucket = m.bucket AND t.user_id = c.subject_user_id;
        RETURN QUERY SELECT
            m.n, ${LOADED.values},
            set_back;`,
)

const OUTCOME = resultsOf(['otp_issuances', ISSUANCE_COLUMNS], ['subject_standings', STANDING_COLUMNS])

const LOAD_MAIL_OUTCOMES = returning(
  'load_mail_outcomes',
  'STABLE',
  `${OUTCOME.columns}`,
  ['i otp_issuances;', 's subject_standings;'],
  `FOR m IN SELECT * FROM json_to_recordset(inputs) AS given (n integer, id uuid, bucket integer) LOOP
        SELECT * INTO i FROM otp_issuances t WHERE t.bucket = m.bucket AND t.id = m.id;
        CONTINUE WHEN NOT FOUND;
        SELECT * INTO s FROM subject_standings t WHERE t.bucket = m.bucket AND t.subject_user_id = i.subject_user_id;
        RETURN QUERY SELECT m.n, ${OUTCOME.values};`,
)

const CLAIMED = resultsOf(
  ['otp_issuances', `${ISSUANCE_COLUMNS}, ${TRACE_CONTEXT}`],
  ['challenges', CHALLENGE_COLUMNS],
  ['users', USER_COLUMNS],
)

/** Leases those mails that are due still, as the statement for one PostgreSQL does. */
const CLAIM_ISSUANCES = returning(
  'claim_issuances',
  'VOLATILE',
  `${CLAIMED.columns},
    set_back BOOLEAN`,
  ['i otp_issuances;', 'c challenges;', 'u users;'],
  `FOR m IN
        SELECT * FROM json_to_recordset(inputs) AS given (
            n integer, bucket integer, id uuid, now timestamptz, lease_end timestamptz
        )
    LOOP
        PERFORM FROM otp_issuances t
        WHERE t.bucket = m.bucket AND t.id = m.id AND t.status = 'queued' AND t.next_attempt_at <= m.now
        FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE otp_issuances t
        SET next_attempt_at = m.lease_end, delivery_attempts = t.delivery_attempts + 1
        WHERE t.bucket = m.bucket AND t.id = m.id
        RETURNING * INTO i;
        -- Before the challenge: one that ends in between would look as if somebody had set it back.
        ${lookForEndOf('i.challenge_id')}
        SELECT * INTO c FROM challenges t WHERE t.bucket = m.bucket AND t.id = i.challenge_id;
        set_back := set_back AND c.status = 'pending';
        SELECT * INTO u FROM users t WHERE t.bucket = m.bucket AND t.user_id = i.subject_user_id;
        RETURN QUERY SELECT
            m.n, ${CLAIMED.values},
            set_back;`,
)

/**
 * Reserves keys, in the order of the keys. Returns the challenge and the fingerprint of the first call with each. The purge may remove the
 * key of that call between the two statements.
 */
const RESERVE_KEYS = returning(
  'reserve_keys',
  'VOLATILE',
  `reserved_for UUID,
    of_fingerprint TEXT`,
  [],
  `FOR m IN
        SELECT * FROM json_to_recordset(inputs) AS given (${KEY})
        ORDER BY given.place COLLATE "C"
    LOOP
        n := m.n;
        LOOP
            INSERT INTO idempotency_keys (bucket, place, challenge_id, fingerprint)
            VALUES (m.bucket, m.place, m.challenge_id, m.fingerprint)
            ON CONFLICT DO NOTHING;
            IF FOUND THEN
                reserved_for := m.challenge_id;
                of_fingerprint := m.fingerprint;
                EXIT;
            END IF;
            SELECT t.challenge_id, t.fingerprint INTO reserved_for, of_fingerprint
            FROM idempotency_keys t WHERE t.bucket = m.bucket AND t.place = m.place;
            EXIT WHEN FOUND;
        END LOOP;
        RETURN NEXT;`,
)

/**
 * Counts one more code for each mailbox, unless it had `most` in the hour before. As count_code_for_mailbox() of one PostgreSQL. Returns also
 * when a mailbox without room has room again.
 */
const COUNT_CODES = returning(
  'count_codes',
  'VOLATILE',
  `counted BOOLEAN,
    spent_until TIMESTAMPTZ`,
  ['address BYTEA;'],
  `FOR m IN
        SELECT * FROM json_to_recordset(inputs) AS given (${COUNTING})
        ORDER BY given.mailbox
    LOOP
        n := m.n;
        spent_until := NULL;
        address := decode(m.mailbox, 'hex');
        LOOP
            UPDATE mailbox_issuances AS t
            SET issued_at = ARRAY(SELECT i FROM unnest(t.issued_at) AS i WHERE i > m.at - interval '1 hour' ORDER BY i) || m.at
            WHERE t.bucket = m.bucket AND t.mailbox = address
                AND m.most > (SELECT count(*) FROM unnest(t.issued_at) AS i WHERE i > m.at - interval '1 hour');
            counted := FOUND;
            EXIT WHEN counted;
            -- The row may be missing: then it has room.
            INSERT INTO mailbox_issuances (bucket, mailbox, issued_at) VALUES (m.bucket, address, '{}') ON CONFLICT DO NOTHING;
            CONTINUE WHEN FOUND;
            SELECT (
                SELECT i FROM unnest(t.issued_at) AS i WHERE i > m.at - interval '1 hour' ORDER BY i DESC OFFSET m.most - 1 LIMIT 1
            ) + interval '1 hour' INTO spent_until
            FROM mailbox_issuances t WHERE t.bucket = m.bucket AND t.mailbox = address;
            -- Without it there is room: another session has made the row since, or let a code count no more.
            EXIT WHEN spent_until IS NOT NULL;
        END LOOP;
        RETURN NEXT;`,
)

/** Those that `deploy/citus/shards.sql` copies for each shard. */
const COPIED = [
  LOAD_STEP_UPS,
  OPEN_CHALLENGES,
  SAVE_DECISIONS,
  RECORD_ATTEMPTS,
  LOAD_MAIL_OUTCOMES,
  SAVE_REPORTS,
  CLAIM_ISSUANCES,
  RESERVE_KEYS,
  COUNT_CODES,
]

/** What has to be there for the service. */
export const DELEGATED_FUNCTIONS = [
  ...[...COPIED, NOTE_STRANGER].map(({ signature }) => signature),
  ...COPIED.map(({ name }) => `${name}_here(json)`),
]

/** The text of `deploy/citus/decisions.sql`. */
export function delegatedFunctions(): string {
  return `-- Generated by \`npm run citus:build\` from the columns that the statements for one PostgreSQL are made of. Do not edit.
--
-- Run it as countersign_owner after functions.sql, and before shards.sql. A second run changes nothing.

${[...COPIED, NOTE_STRANGER].map(({ text }) => text).join('\n\n')}

-- Citus runs it where the rows of the bucket are.
SELECT create_distributed_function('${NOTE_STRANGER.signature}', 'of_bucket', colocate_with := 'challenges');
`
}
