-- The orders that customers are also asked for in, and those with an account, or without, in the usual ones.
CREATE INDEX stheno_customer_first_name ON customer (first_name, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_last_name ON customer (last_name, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_has_account ON customer (has_account, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_has_account_created_at ON customer (has_account, created_at DESC, id)
    WHERE deleted_at IS NULL;
