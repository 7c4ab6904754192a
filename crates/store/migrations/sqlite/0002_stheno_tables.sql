-- API tokens of Stheno's own. Only the hash of a token is kept.
CREATE TABLE stheno_api_token (
    token_hash TEXT PRIMARY KEY NOT NULL,
    user_id    TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX stheno_api_token_user_id ON stheno_api_token (user_id);

-- Sessions of the admin dashboard. Only the hash of a session's id is kept.
CREATE TABLE stheno_session (
    id_hash    TEXT PRIMARY KEY NOT NULL,
    user_id    TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    expires_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX stheno_session_expires_at ON stheno_session (expires_at);
CREATE INDEX stheno_session_user_id ON stheno_session (user_id);

-- Signing secrets that were not given and so were made here, once.
CREATE TABLE stheno_secret (
    name       TEXT PRIMARY KEY NOT NULL,
    value      TEXT NOT NULL,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
