-- Medusa v1's own tables, column for column. Times are text, `2024-11-03T08:00:00.000538Z`: always UTC, always six
-- digits, so that they sort as they are written. JSON is text in PostgreSQL's jsonb order.

CREATE TABLE customer_group (
    id         TEXT PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL,
    metadata   TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT
);
-- Lists are shown the newest first, and rows of one time by id.
CREATE UNIQUE INDEX stheno_customer_group_name ON customer_group (name) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_group_created_at ON customer_group (created_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_group_updated_at ON customer_group (updated_at DESC, id) WHERE deleted_at IS NULL;

CREATE TABLE address (
    id           TEXT PRIMARY KEY NOT NULL,
    customer_id  TEXT REFERENCES customer (id),
    company      TEXT,
    first_name   TEXT,
    last_name    TEXT,
    address_1    TEXT,
    address_2    TEXT,
    city         TEXT,
    country_code TEXT,
    province     TEXT,
    postal_code  TEXT,
    phone        TEXT,
    metadata     TEXT,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    deleted_at   TEXT
);
CREATE INDEX stheno_address_customer_id ON address (customer_id);

CREATE TABLE customer (
    id                 TEXT PRIMARY KEY NOT NULL,
    email              TEXT NOT NULL,
    first_name         TEXT,
    last_name          TEXT,
    billing_address_id TEXT UNIQUE REFERENCES address (id),
    phone              TEXT,
    has_account        INTEGER NOT NULL DEFAULT FALSE CHECK (has_account IN (FALSE, TRUE)),
    password_hash      TEXT,
    metadata           TEXT,
    created_at         TEXT NOT NULL,
    updated_at         TEXT NOT NULL,
    deleted_at         TEXT
);
CREATE UNIQUE INDEX stheno_customer_email_has_account ON customer (email, has_account) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_created_at ON customer (created_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_updated_at ON customer (updated_at DESC, id) WHERE deleted_at IS NULL;

-- The rows are the primary key, so the table is its own index: the members of a group lie side by side, by id.
CREATE TABLE customer_group_customers (
    customer_group_id TEXT NOT NULL REFERENCES customer_group (id) ON DELETE CASCADE,
    customer_id       TEXT NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    PRIMARY KEY (customer_group_id, customer_id)
) WITHOUT ROWID;
CREATE INDEX stheno_customer_group_customers_customer_id ON customer_group_customers (customer_id);

CREATE TABLE "user" (
    id            TEXT PRIMARY KEY NOT NULL,
    email         TEXT NOT NULL,
    first_name    TEXT,
    last_name     TEXT,
    password_hash TEXT,
    api_token     TEXT,
    role          TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('admin', 'member', 'developer')),
    metadata      TEXT,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL,
    deleted_at    TEXT
);
CREATE UNIQUE INDEX stheno_user_email ON "user" (email) WHERE deleted_at IS NULL;
CREATE INDEX stheno_user_api_token ON "user" (api_token) WHERE api_token IS NOT NULL;

CREATE TABLE price_list (
    id          TEXT PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    type        TEXT NOT NULL DEFAULT 'sale' CHECK (type IN ('sale', 'override')),
    status      TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('active', 'draft')),
    starts_at   TEXT,
    ends_at     TEXT,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    deleted_at  TEXT
);

CREATE TABLE price_list_customer_groups (
    price_list_id     TEXT NOT NULL REFERENCES price_list (id) ON DELETE CASCADE,
    customer_group_id TEXT NOT NULL REFERENCES customer_group (id) ON DELETE CASCADE,
    PRIMARY KEY (price_list_id, customer_group_id)
) WITHOUT ROWID;
CREATE INDEX stheno_price_list_customer_groups_group ON price_list_customer_groups (customer_group_id);

-- condition_id refers to discount_condition, a table that only Medusa has.
CREATE TABLE discount_condition_customer_group (
    customer_group_id TEXT NOT NULL REFERENCES customer_group (id) ON DELETE CASCADE,
    condition_id      TEXT NOT NULL,
    metadata          TEXT,
    created_at        TEXT NOT NULL,
    updated_at        TEXT NOT NULL,
    PRIMARY KEY (condition_id, customer_group_id)
) WITHOUT ROWID;
CREATE INDEX stheno_discount_condition_customer_group_group ON discount_condition_customer_group (customer_group_id);
