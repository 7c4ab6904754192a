-- What a shop in Medusa's database has beside the contract's rows: what these refer to, and orders. The first four
-- orders are those of the contract's recording; the others have a value in every column that may have one, and belong to
-- customers whose orders the recording does not show.

INSERT INTO region (id, name, currency_code, tax_rate) VALUES ('reg_seed', 'Europe', 'eur', 0);

INSERT INTO discount_rule (id, type, value) VALUES ('disrul_seed', 'percentage', 10);
INSERT INTO discount_condition (id, type, operator, discount_rule_id)
VALUES ('discon_seed', 'customer_groups', 'in', 'disrul_seed');

INSERT INTO "order" (id, created_at, updated_at, display_id, customer_id, email, region_id, currency_code, tax_rate)
SELECT o.id, c.created_at, c.created_at, o.display_id, c.id, c.email, 'reg_seed', 'eur', 0
FROM (VALUES ('order_01J94J3Q6Z5TK8GQW679AMG3AK', 21, 'cus_01J94J3Q6Z9Q9S5PFSTJH29KRS'),
             ('order_01J96E6KDYBPAJ95XCNKNTEFW8', 22, 'cus_01J96E6KDYTPBYKARMRZZY0G29'),
             ('order_01J98A9FMXA1WVQNXSPVYBT0G0', 23, 'cus_01J98A9FMXAXJKFKP04VCHB10V'),
             ('order_01J9C2F82VA31PXCVJ64WCP0AT', 25, 'cus_01J9C2F82V5AP214606TX0NJFC')) o (id, display_id, customer_id)
JOIN customer c ON c.id = o.customer_id;

INSERT INTO sales_channel (id, name) VALUES ('sc_seed', 'Web') ON CONFLICT DO NOTHING;

INSERT INTO "order"
  (id, status, fulfillment_status, payment_status, display_id, customer_id, email, billing_address_id,
   shipping_address_id, region_id, currency_code, tax_rate, canceled_at, created_at, updated_at, metadata,
   idempotency_key, no_notification, external_id, sales_channel_id)
SELECT 'order_full_' || n, 'canceled', 'partially_shipped', 'refunded', 100 + n, c.id, c.email, a.id, a.id, 'reg_seed',
       'eur', 0.1 + n, c.created_at + interval '1 day', c.created_at, c.updated_at,
       '{"b": 1.50, "a": [null, true, "ü"], "big": 12345678901234567890}', 'key_' || n, true, 'ext_' || n, 'sc_seed'
FROM generate_series(1, 60) n
JOIN (SELECT *, row_number() OVER (ORDER BY id) AS number FROM customer WHERE NOT EXISTS (
        SELECT 1 FROM customer_group_customers m WHERE m.customer_id = customer.id
        AND m.customer_group_id IN (SELECT id FROM customer_group WHERE name LIKE '%0019'))) c
  ON c.number = 100 + n / 3
CROSS JOIN (SELECT id FROM address ORDER BY id LIMIT 1) a;
