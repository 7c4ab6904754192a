-- Logins, refused ones too, and logouts. Kept for a time that the operator sets; neither what was typed as an address nor
-- as a password is in it.
CREATE TABLE IF NOT EXISTS stheno_login (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamp with time zone NOT NULL,
    -- Whose account it was, if it was somebody's. The trail outlives the user.
    user_id  character varying,
    kind     text NOT NULL,
    outcome  text NOT NULL,
    -- Where it came from.
    address  inet,
    -- How often the same was tried, from that time on.
    attempts bigint NOT NULL
);
