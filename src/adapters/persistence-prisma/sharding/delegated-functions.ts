import {
  REPORT,
  REPORT_CHANGES,
  REPORT_GUARD,
  SUPPRESSION_CHANGES,
} from '../mail-outcomes/grouped-mail-outcome-statements.ts'
import { ISSUANCE_COLUMNS } from '../otp-outbox/issuance-row.ts'
import { ATTEMPT, ATTEMPT_CHANGES, ATTEMPT_GUARD } from '../otp-outbox/otp-outbox-statements.ts'
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

/*
 * The functions that load and store on the server of a subject, if Citus spreads the tables over several (decision 67). Each is the statement
 * for several inputs, for one of them, as statements that follow each other. Citus would send one that inserts in a WITH to all servers. A
 * statement about one table, with a value for the bucket, has a plan that its session keeps.
 */

/** A function, with the types of its arguments. The first is the bucket. */
interface DelegatedFunction {
  readonly signature: string
  readonly text: string
}

/** A function that stores its input. It returns a row only if it did. */
function storing(name: string, columns: string, body: string): DelegatedFunction {
  return {
    signature: `${name}(integer, json)`,
    text: `CREATE OR REPLACE FUNCTION ${name}("of_bucket" INTEGER, "input" JSON) RETURNS SETOF BOOLEAN LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    m record;
    e record;
BEGIN
    SELECT * INTO m FROM json_to_record(input) AS m (
        ${columns}
    );
    ${body}
    RETURN NEXT true;
END;
$$;`,
  }
}

const STORE_EVENTS = `FOR e IN
        SELECT * FROM json_to_recordset(m.events) AS e ("subjectUserId" text, "challengeId" uuid, type text, at timestamptz, details jsonb)
    LOOP
        INSERT INTO challenge_events (
            bucket, challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details
        )
        VALUES (of_bucket, e."challengeId", e."subjectUserId", e.type, e.at, m.actor, m.request_id, m.remote_address, e.details);
    END LOOP;`

const STORE_LOCK_NOTICE = `IF m.lock_notice IS NOT NULL THEN
        INSERT INTO lock_notices (
            bucket, id, challenge_id, subject_user_id, recipient, locked_at, locked_until, status, delivery_attempts, next_attempt_at
        )
        VALUES (
            of_bucket, (m.lock_notice ->> 'id')::uuid, m.challenge_id, m.subject, m.lock_notice ->> 'recipient',
            (m.lock_notice ->> 'locked_at')::timestamptz, (m.lock_notice ->> 'locked_until')::timestamptz, 'queued', 0,
            (m.lock_notice ->> 'next_attempt_at')::timestamptz
        );
    END IF;`

const STORE_SECURITY_NOTICE = `IF m.security_notice IS NOT NULL THEN
        INSERT INTO security_notices (
            bucket, id, kind, client_id, subject_user_id, recipient, happened_at, locale, status, delivery_attempts, next_attempt_at
        )
        VALUES (
            of_bucket, (m.security_notice ->> 'id')::uuid, m.security_notice ->> 'kind', m.security_notice ->> 'client_id', m.subject,
            m.security_notice ->> 'recipient', (m.security_notice ->> 'happened_at')::timestamptz, m.security_notice ->> 'locale',
            'queued', 0, (m.security_notice ->> 'happened_at')::timestamptz
        );
    END IF;`

/** The version of the standing guards the rest, as in the statement for one PostgreSQL. */
const SAVE_DECISION = storing(
  'save_decision',
  `${DECISION_COLUMNS}, lock_notice json, security_notice json`,
  `UPDATE subject_standings s
    SET ${STANDING_CHANGES}
    WHERE s.bucket = of_bucket AND s.subject_user_id = m.subject AND s.version = m.version;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE challenges c
    SET ${CHALLENGE_CHANGES}
    WHERE c.bucket = of_bucket AND c.id = m.challenge_id AND c.subject_user_id = m.subject;
    IF NOT FOUND THEN
        RETURN;
    END IF;
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

/** The lock is that of has_room_for_challenge(): it is on the server of the subject, as all who count there. */
const OPEN_CHALLENGE = storing(
  'open_challenge',
  OPENING_COLUMNS,
  `PERFORM FROM subject_standings s WHERE s.bucket = of_bucket AND s.subject_user_id = m.subject;
    IF NOT FOUND THEN
        INSERT INTO subject_standings (
            bucket, subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version
        )
        VALUES (of_bucket, m.subject, 0, 0, '{}', 0)
        ON CONFLICT DO NOTHING;
    END IF;
    IF m.most_live IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(m.subject || chr(31) || m.client_id, 0));
        SELECT count(*) AS live INTO e FROM challenges c
        WHERE c.bucket = of_bucket AND c.subject_user_id = m.subject AND c.client_id = m.client_id
            AND c.status IN ('pending', 'verified') AND c.expires_at > m.created_at;
        IF e.live >= m.most_live THEN
            RETURN;
        END IF;
    END IF;
    INSERT INTO challenges (
        ${NEW_CHALLENGE.columns}
    )
    VALUES (
        ${NEW_CHALLENGE.values}
    )
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    ${STORE_EVENTS}`,
)

const RECORD_ATTEMPT: DelegatedFunction = {
  signature: 'record_attempt(integer, json)',
  text: `CREATE OR REPLACE FUNCTION record_attempt("of_bucket" INTEGER, "input" JSON) RETURNS SETOF BOOLEAN LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    a record;
BEGIN
    SELECT * INTO a FROM json_to_record(input) AS a (
        ${ATTEMPT}
    );
    UPDATE otp_issuances i
    SET ${ATTEMPT_CHANGES}
    WHERE i.bucket = of_bucket AND i.id = a.id AND ${ATTEMPT_GUARD};
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
    VALUES (
        of_bucket, (a.event ->> 'challengeId')::uuid, a.event ->> 'subjectUserId', a.event ->> 'type',
        (a.event ->> 'at')::timestamptz, 'service', a.event -> 'details'
    );
    RETURN NEXT true;
END;
$$;`,
}

/** Locks the standing first and changes it last, as the statement for one PostgreSQL does. */
const SAVE_REPORT = storing(
  'save_report',
  `${REPORT}, is_about_code boolean`,
  `IF m.subject IS NOT NULL THEN
        PERFORM FROM subject_standings s
        WHERE s.bucket = of_bucket AND s.subject_user_id = m.subject AND s.version = m.version
        FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF m.is_about_code THEN
        UPDATE otp_issuances i
        SET ${REPORT_CHANGES}
        WHERE i.bucket = of_bucket AND i.id = m.id
        AND ${REPORT_GUARD};
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF m.subject IS NOT NULL THEN
        UPDATE subject_standings s
        SET ${SUPPRESSION_CHANGES}
        WHERE s.bucket = of_bucket AND s.subject_user_id = m.subject;
    END IF;
    ${STORE_EVENTS}`,
)

/** The lock lets no two strangers count at once. */
const NOTE_STRANGER: DelegatedFunction = {
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

const LOADED = [
  ['challenges', CHALLENGE_COLUMNS],
  ['subject_standings', STANDING_COLUMNS],
  ['otp_issuances', ISSUANCE_COLUMNS],
  ['users', USER_COLUMNS],
].flatMap(([table, columns]) =>
  columns!.split(', ').map((column) => {
    const [place, alias] = column.split(' AS ')
    return { place, result: `${alias} ${table}.${place!.slice(2)}%TYPE` }
  }),
)

/** STABLE: all of its statements have the snapshot of the call, so they read what stood at one instant. */
const LOAD_STEP_UP: DelegatedFunction = {
  signature: 'load_step_up(integer, uuid)',
  text: `-- The result may have another column than before, so it is not replaced.
DROP FUNCTION IF EXISTS load_step_up(INTEGER, UUID);
CREATE FUNCTION load_step_up("of_bucket" INTEGER, "of_id" UUID) RETURNS TABLE (
    ${LOADED.map(({ result }) => result).join(',\n    ')},
    set_back BOOLEAN
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    c challenges;
    s subject_standings;
    i otp_issuances;
    u users;
BEGIN
    SELECT * INTO c FROM challenges t WHERE t.bucket = of_bucket AND t.id = of_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO s FROM subject_standings t WHERE t.bucket = of_bucket AND t.subject_user_id = c.subject_user_id;
    IF c.issuance_count > 0 THEN
        SELECT * INTO i FROM otp_issuances t
        WHERE t.bucket = of_bucket AND t.challenge_id = of_id AND t.number = c.issuance_count;
    END IF;
    SELECT * INTO u FROM users t WHERE t.bucket = of_bucket AND t.user_id = c.subject_user_id;
    set_back := false;
    IF c.status = 'verified' THEN
        PERFORM FROM challenge_events t
        WHERE t.bucket = of_bucket AND t.challenge_id = of_id
            AND t.type IN ('challenge-consumed', 'challenge-cancelled', 'challenge-exhausted')
        LIMIT 1;
        set_back := FOUND;
    END IF;
    RETURN QUERY SELECT
        ${LOADED.map(({ place }) => place).join(', ')},
        set_back;
END;
$$;`,
}

const ALL = [LOAD_STEP_UP, OPEN_CHALLENGE, SAVE_DECISION, RECORD_ATTEMPT, SAVE_REPORT, NOTE_STRANGER]

/** What has to be there for the service, with the one of `deploy/citus/functions.sql`. */
export const DELEGATED_FUNCTIONS = [
  ...ALL.map(({ signature }) => signature),
  'count_code_at_mailbox(bytea, timestamptz, integer)',
]

/** The text of `deploy/citus/decisions.sql`. */
export function delegatedFunctions(): string {
  return `-- Generated by \`npm run citus:build\` from the columns that the statements for one PostgreSQL are made of. Do not edit.
--
-- Run it as countersign_owner after distribute.sql and after each migration. A second run changes nothing.

${ALL.map(({ text }) => text).join('\n\n')}

-- Citus runs each where the rows of the bucket are.
${ALL.map(({ signature }) => `SELECT create_distributed_function('${signature}', 'of_bucket', colocate_with := 'challenges');`).join('\n')}
`
}
