-- Alone in its migration: CONCURRENTLY, which lets writes go on, cannot be part of a transaction. The support looks for a user by the hash
-- of their address. The cast is immutable, as convert_to() is not, and an address has no backslash, which it would read as an escape.
CREATE INDEX CONCURRENTLY "users_mailbox_hash_idx" ON "users"(sha256(lower("email" COLLATE "C")::bytea));
