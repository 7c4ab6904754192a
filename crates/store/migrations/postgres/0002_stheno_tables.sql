-- A step that makes tables of Stheno's own is written so that it can run again: it makes what has been lost. What else
-- is added, and can be made again at any time, is declared in src/postgres/additions.rs: the indexes of these, too.
--
-- These refer to Medusa's "user", but without foreign keys, which would put triggers on Medusa's own table: whoever reads
-- them joins the user.

-- API tokens of Stheno's own. Only the hash of a token is kept.
CREATE TABLE IF NOT EXISTS stheno_api_token (
    token_hash text PRIMARY KEY,
    user_id    character varying NOT NULL,
    created_at timestamp with time zone NOT NULL
);

-- Sessions of the admin dashboard. Only the hash of a session's id is kept.
CREATE TABLE IF NOT EXISTS stheno_session (
    id_hash    text PRIMARY KEY,
    user_id    character varying NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

-- Signing secrets that were not given and so were made here, once.
CREATE TABLE IF NOT EXISTS stheno_secret (
    name       text PRIMARY KEY,
    value      text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
