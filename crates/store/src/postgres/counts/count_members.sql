
-- Counts members who come and go. Whoever adds one locks the customer, by the check of the foreign key, and whoever removes
-- one locks the membership, before this looks, with a snapshot of this moment, whether the customer is deleted. Whoever deletes
-- or restores the customer locks both as well: of two at once, the second knows of the first. An older snapshot knows
-- nothing, which leaves a doubt. Memberships that go with their customer were counted when it was about to go.
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
        SELECT 'members', a.customer_group_id, c.has_account, count(*)
        FROM added a
        CROSS JOIN LATERAL (SELECT r.has_account FROM {schema}.customer r
                            WHERE r.id = a.customer_id AND r.deleted_at IS NULL LIMIT 1) c
        GROUP BY a.customer_group_id, c.has_account;
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
            SELECT DISTINCT 'doubt', a.customer_group_id, FALSE, 0 FROM added a;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
        SELECT 'members', a.customer_group_id, c.has_account, -count(*)
        FROM removed a
        CROSS JOIN LATERAL (SELECT r.has_account FROM {schema}.customer r
                            WHERE r.id = a.customer_id AND r.deleted_at IS NULL LIMIT 1) c
        GROUP BY a.customer_group_id, c.has_account;
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
            SELECT DISTINCT 'doubt', a.customer_group_id, FALSE, 0 FROM removed a;
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_schema_name OR integrity_constraint_violation OR data_exception THEN
    RETURN NULL;
END
