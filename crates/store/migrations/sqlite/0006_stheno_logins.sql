-- Logins, refused ones too, and logouts. Kept for a time that the operator sets; neither what was typed as an address nor
-- as a password is in it.
CREATE TABLE stheno_login (
    -- Never given again.
    id       INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at       TEXT NOT NULL,
    -- Whose account it was, if it was somebody's. No reference: the trail outlives the user.
    user_id  TEXT,
    kind     TEXT NOT NULL,
    outcome  TEXT NOT NULL,
    -- Where it came from.
    address  TEXT,
    -- How often the same was tried, from that time on.
    attempts INTEGER NOT NULL
);
CREATE INDEX stheno_login_at ON stheno_login (at);
CREATE INDEX stheno_login_user_id ON stheno_login (user_id, at);
