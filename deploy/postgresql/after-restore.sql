-- Run as countersign_owner after a restore from a backup, before the service starts. A challenge that was consumed after the backup is
-- verified again in it, and nobody may consume it a second time. The backup also lacks the wrong codes since then. So this ends every
-- live challenge and records that on the trail. Users start again. Codes that are in mailboxes no longer work.

BEGIN;

WITH ended AS (
  UPDATE challenges
  SET status = 'cancelled', cancelled_at = now(), verified_at = NULL
  WHERE status IN ('pending', 'verified')
  RETURNING id, subject_user_id
), unsent AS (
  UPDATE otp_issuances
  SET status = 'failed', failed_at = now(), failure_reason = 'challenge-over', next_attempt_at = NULL
  FROM ended
  WHERE otp_issuances.challenge_id = ended.id AND otp_issuances.status = 'queued'
)
INSERT INTO challenge_events (challenge_id, subject_user_id, type, occurred_at, actor, details)
SELECT id, subject_user_id, 'challenge-cancelled', now(), 'operator', '{"reason": "restored"}'
FROM ended;

COMMIT;
