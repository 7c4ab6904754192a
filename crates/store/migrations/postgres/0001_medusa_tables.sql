-- Medusa v1's own tables: its columns, types, constraints and names, so that a shop can move either way. Foreign keys to
-- tables that only Medusa has (country, discount_condition) are left out.

CREATE TYPE user_role_enum AS ENUM ('admin', 'member', 'developer');
CREATE TYPE price_list_type_enum AS ENUM ('sale', 'override');
CREATE TYPE price_list_status_enum AS ENUM ('active', 'draft');

CREATE TABLE customer_group (
    id         character varying NOT NULL,
    name       character varying NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    deleted_at timestamp with time zone,
    metadata   jsonb,
    CONSTRAINT "PK_88e7da3ff7262d9e0a35aa3664e" PRIMARY KEY (id)
);
CREATE UNIQUE INDEX "IDX_c4c3a5225a7a1f0af782c40abc" ON customer_group (name) WHERE deleted_at IS NULL;

CREATE TABLE address (
    id           character varying NOT NULL,
    customer_id  character varying,
    company      character varying,
    first_name   character varying,
    last_name    character varying,
    address_1    character varying,
    address_2    character varying,
    city         character varying,
    country_code character varying,
    province     character varying,
    postal_code  character varying,
    phone        character varying,
    created_at   timestamp with time zone NOT NULL DEFAULT now(),
    updated_at   timestamp with time zone NOT NULL DEFAULT now(),
    deleted_at   timestamp with time zone,
    metadata     jsonb,
    CONSTRAINT "PK_d92de1f82754668b5f5f5dd4fd5" PRIMARY KEY (id)
);
CREATE INDEX "IDX_9c9614b2f9d01665800ea8dbff" ON address (customer_id);

CREATE TABLE customer (
    id                 character varying NOT NULL,
    email              character varying NOT NULL,
    first_name         character varying,
    last_name          character varying,
    billing_address_id character varying,
    password_hash      character varying,
    phone              character varying,
    has_account        boolean NOT NULL DEFAULT false,
    created_at         timestamp with time zone NOT NULL DEFAULT now(),
    updated_at         timestamp with time zone NOT NULL DEFAULT now(),
    deleted_at         timestamp with time zone,
    metadata           jsonb,
    CONSTRAINT "PK_a7a13f4cacb744524e44dfdad32" PRIMARY KEY (id),
    CONSTRAINT "REL_8abe81b9aac151ae60bf507ad1" UNIQUE (billing_address_id),
    CONSTRAINT "FK_8abe81b9aac151ae60bf507ad15" FOREIGN KEY (billing_address_id) REFERENCES address (id)
);
CREATE INDEX "IDX_8abe81b9aac151ae60bf507ad1" ON customer (billing_address_id);
CREATE UNIQUE INDEX "IDX_unique_email_for_guests_and_customer_accounts" ON customer (email, has_account)
    WHERE deleted_at IS NULL;
ALTER TABLE address ADD CONSTRAINT "FK_9c9614b2f9d01665800ea8dbff7"
    FOREIGN KEY (customer_id) REFERENCES customer (id);

CREATE TABLE customer_group_customers (
    customer_group_id character varying NOT NULL,
    customer_id       character varying NOT NULL,
    CONSTRAINT "PK_e28a55e34ad1e2d3df9a0ac86d3" PRIMARY KEY (customer_group_id, customer_id),
    CONSTRAINT "FK_620330964db8d2999e67b0dbe3e" FOREIGN KEY (customer_group_id) REFERENCES customer_group (id)
        ON DELETE CASCADE,
    CONSTRAINT "FK_3c6412d076292f439269abe1a23" FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE
);
CREATE INDEX "IDX_620330964db8d2999e67b0dbe3" ON customer_group_customers (customer_group_id);
CREATE INDEX "IDX_3c6412d076292f439269abe1a2" ON customer_group_customers (customer_id);

CREATE TABLE "user" (
    id            character varying NOT NULL,
    email         character varying NOT NULL,
    first_name    character varying,
    last_name     character varying,
    password_hash character varying,
    api_token     character varying,
    created_at    timestamp with time zone NOT NULL DEFAULT now(),
    updated_at    timestamp with time zone NOT NULL DEFAULT now(),
    deleted_at    timestamp with time zone,
    metadata      jsonb,
    role          user_role_enum DEFAULT 'member',
    CONSTRAINT "PK_cace4a159ff9f2512dd42373760" PRIMARY KEY (id)
);
CREATE UNIQUE INDEX "IDX_ba8de19442d86957a3aa3b5006" ON "user" (email) WHERE deleted_at IS NULL;

CREATE TABLE price_list (
    id          character varying NOT NULL,
    name        character varying NOT NULL,
    description character varying NOT NULL,
    type        price_list_type_enum NOT NULL DEFAULT 'sale',
    status      price_list_status_enum NOT NULL DEFAULT 'draft',
    starts_at   timestamp with time zone,
    ends_at     timestamp with time zone,
    created_at  timestamp with time zone NOT NULL DEFAULT now(),
    updated_at  timestamp with time zone NOT NULL DEFAULT now(),
    deleted_at  timestamp with time zone,
    CONSTRAINT "PK_52ea7826468b1c889cb2c28df03" PRIMARY KEY (id)
);

CREATE TABLE price_list_customer_groups (
    price_list_id     character varying NOT NULL,
    customer_group_id character varying NOT NULL,
    CONSTRAINT "PK_1afcbe15cc8782dc80c05707df9" PRIMARY KEY (price_list_id, customer_group_id),
    CONSTRAINT "FK_52875734e9dd69064f0041f4d92" FOREIGN KEY (price_list_id) REFERENCES price_list (id)
        ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT "FK_c5516f550433c9b1c2630d787a7" FOREIGN KEY (customer_group_id) REFERENCES customer_group (id)
        ON DELETE CASCADE
);
CREATE INDEX "IDX_52875734e9dd69064f0041f4d9" ON price_list_customer_groups (price_list_id);
CREATE INDEX "IDX_c5516f550433c9b1c2630d787a" ON price_list_customer_groups (customer_group_id);

CREATE TABLE discount_condition_customer_group (
    customer_group_id character varying NOT NULL,
    condition_id      character varying NOT NULL,
    created_at        timestamp with time zone NOT NULL DEFAULT now(),
    updated_at        timestamp with time zone NOT NULL DEFAULT now(),
    metadata          jsonb,
    CONSTRAINT "PK_cdc8b2277169a16b8b7d4c73e0e" PRIMARY KEY (customer_group_id, condition_id),
    CONSTRAINT "FK_4d5f98645a67545d8dea42e2eb8" FOREIGN KEY (customer_group_id) REFERENCES customer_group (id)
        ON DELETE CASCADE
);
CREATE INDEX "IDX_4d5f98645a67545d8dea42e2eb" ON discount_condition_customer_group (customer_group_id);
CREATE INDEX "IDX_8486ee16e69013c645d0b8716b" ON discount_condition_customer_group (condition_id);
