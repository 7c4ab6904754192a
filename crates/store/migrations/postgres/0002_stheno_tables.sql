-- These refer to Medusa's "user", but without foreign keys, which would put triggers on Medusa's own table: whoever reads
-- them joins the user.

-- API tokens of Stheno's own. Only the hash of a token is kept.
CREATE TABLE stheno_api_token (
    token_hash text PRIMARY KEY,
    user_id    character varying NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE INDEX stheno_api_token_user_id ON stheno_api_token (user_id);

-- Sessions of the admin dashboard. Only the hash of a session's id is kept.
CREATE TABLE stheno_session (
    id_hash    text PRIMARY KEY,
    user_id    character varying NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE INDEX stheno_session_expires_at ON stheno_session (expires_at);
CREATE INDEX stheno_session_user_id ON stheno_session (user_id);

-- Signing secrets that were not given and so were made here, once.
CREATE TABLE stheno_secret (
    name       text PRIMARY KEY,
    value      text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
