-- The index of the migration before begins with the same column and serves the same queries. That of the mailbox stays for one version,
-- which still counts by it.
DROP INDEX CONCURRENTLY "security_notices_subject_user_id_idx";
