-- The index of the migration before begins with the same column and serves the same queries.
DROP INDEX CONCURRENTLY "challenges_subject_user_id_idx";
