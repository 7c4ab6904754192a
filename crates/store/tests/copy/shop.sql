INSERT INTO "user" (id, email, first_name, last_name, password_hash, api_token, role, metadata, created_at, updated_at, deleted_at) VALUES
    ('usr_1', 'ada@shop.example', 'Ada', NULL, 'c2NyeXB0', 'a-token-of-medusas', 'admin', '{"a":1}', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', NULL),
    ('usr_2', 'ada@shop.example', NULL, NULL, NULL, NULL, 'developer', NULL, '2024-11-03T08:00:00.000000Z', '2024-11-03T08:00:00.000000Z', '2024-11-04T08:00:00.999999Z');
INSERT INTO customer_group (id, name, metadata, created_at, updated_at, deleted_at) VALUES
    ('cgrp_1', 'VIP', '{"b":[1,2.5,null,true],"é":"ü","nested":{"x":"","yy":{}}}', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:01.500000Z', NULL),
    ('cgrp_2', 'vip', '{}', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', NULL),
    ('cgrp_3', 'VIP', '[1,"two"]', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', '2024-11-05T00:00:00.000001Z'),
    ('any id', '  a name, with "quotes" \ and ''more''  ', '"text"', '0001-01-01T00:00:00.000000Z', '9999-12-31T23:59:59.999999Z', NULL);
INSERT INTO customer (id, email, first_name, last_name, phone, has_account, password_hash, metadata, created_at, updated_at, deleted_at) VALUES
    ('cus_1', 'Ada@b.example', 'Ada', 'Łovelace', '+45 1', TRUE, 'c2NyeXB0', '{"n":1e-7,"big":9007199254740993}', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', NULL),
    ('cus_2', 'Ada@b.example', '', 'null', NULL, FALSE, NULL, 'null', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', NULL),
    ('cus_3', 'Ada@b.example', '\N', 'a	b', 'c
d', FALSE, NULL, NULL, '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', '2024-11-03T09:00:00.000000Z');
INSERT INTO address (id, customer_id, company, city, country_code, metadata, created_at, updated_at, deleted_at) VALUES
    ('addr_1', 'cus_1', 'Analytical', 'København', 'dk', '{"floor":3}', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', NULL),
    ('addr_2', 'cus_2', NULL, NULL, NULL, NULL, '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z'),
    ('addr_3', NULL, NULL, 'Köln', 'de', NULL, '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', NULL);
UPDATE customer SET billing_address_id = 'addr_1' WHERE id = 'cus_2';
UPDATE customer SET billing_address_id = 'addr_3' WHERE id = 'cus_3';
INSERT INTO customer_group_customers (customer_group_id, customer_id) VALUES
    ('cgrp_1', 'cus_1'), ('cgrp_1', 'cus_2'), ('cgrp_2', 'cus_1'), ('cgrp_3', 'cus_3'), ('any id', 'cus_3');
INSERT INTO price_list (id, name, description, type, status, starts_at, ends_at, created_at, updated_at, deleted_at) VALUES
    ('pl_1', 'Spring', '', 'override', 'active', '2025-03-01T00:00:00.000000Z', NULL, '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', NULL),
    ('pl_2', 'Old', 'gone', 'sale', 'draft', NULL, NULL, '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z');
INSERT INTO price_list_customer_groups (price_list_id, customer_group_id) VALUES ('pl_1', 'cgrp_1'), ('pl_2', 'cgrp_1');
INSERT INTO discount_condition_customer_group (customer_group_id, condition_id, metadata, created_at, updated_at) VALUES
    ('cgrp_1', 'discon_1', NULL, '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z'),
    ('cgrp_2', 'discon_1', '{"a":"b"}', '2024-11-03T08:00:00.000538Z', '2024-11-03T08:00:00.000538Z');
INSERT INTO stheno_api_token (token_hash, user_id, created_at) VALUES ('hash-of-a-token', 'usr_1', '2024-11-03T08:00:00.000538Z');
INSERT INTO stheno_session (id_hash, user_id, expires_at) VALUES ('hash-of-a-session', 'usr_1', '2034-11-03T08:00:00.000538Z');
INSERT INTO stheno_secret (name, value, created_at) VALUES ('jwt', 'a-secret', '2024-11-03T08:00:00.000538Z');
INSERT INTO stheno_login (at, user_id, kind, outcome, attempts) VALUES ('2024-11-03T08:00:00.000538Z', 'usr_1', 'token', 'accepted', 1);
