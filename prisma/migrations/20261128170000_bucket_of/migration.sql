-- Each subject is in one of 4096 buckets: the first 12 bits of SHA-256 over the id in UTF-8. src/domain/bucket.ts computes the same. Each new
-- event asks for it, and PL/pgSQL answers in less than half the time of SQL.
CREATE FUNCTION "bucket_of"("subject" TEXT) RETURNS INTEGER LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    digest CONSTANT bytea := sha256(convert_to("subject", 'UTF8'));
BEGIN
    RETURN (get_byte(digest, 0) << 4) | (get_byte(digest, 1) >> 4);
END;
$$;

-- These fill the bucket of a row that the version before inserts, which does not know it. They run with the rights of the session.
CREATE FUNCTION "fill_bucket_of_user"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.bucket := public.bucket_of(NEW.user_id);
    RETURN NEW;
END;
$$;

CREATE FUNCTION "fill_bucket_of_subject"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.bucket := public.bucket_of(NEW.subject_user_id);
    RETURN NEW;
END;
$$;

-- The row of a challenge that is gone gets the bucket that the id carries.
CREATE FUNCTION "fill_bucket_of_challenge"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.bucket := coalesce(
        (SELECT public.bucket_of(c.subject_user_id) FROM public.challenges c WHERE c.id = NEW.challenge_id),
        ('x' || right(NEW.challenge_id::text, 3))::bit(12)::integer
    );
    RETURN NEW;
END;
$$;

-- What the service writes for a stranger reads nothing of the challenge, so it takes the bucket that the id carries, of whatever age the id is.
CREATE FUNCTION "fill_bucket_of_challenge_id"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.bucket := ('x' || right(NEW.challenge_id::text, 3))::bit(12)::integer;
    RETURN NEW;
END;
$$;
