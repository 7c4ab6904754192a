
-- Counts a customer, in all its groups too, who is deleted or restored, gets or loses an account, or is about to go for good.
-- Nothing is waited for: where another holds a lock, that leaves a doubt.
DECLARE
    -- What the customer is counted as: with an account or without; null, if not at all.
    was boolean := CASE WHEN OLD.deleted_at IS NULL THEN OLD.has_account END;
    becomes boolean;
    is_doubtful boolean := FALSE;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        becomes := CASE WHEN NEW.deleted_at IS NULL THEN NEW.has_account END;
    END IF;
    IF was IS DISTINCT FROM becomes THEN
        IF TG_OP = 'UPDATE' THEN
            INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
            SELECT 'customers', '', v.has_account, v.amount
            FROM (VALUES (was, -1), (becomes, 1)) v (has_account, amount) WHERE v.has_account IS NOT NULL;
        END IF;
        -- An older snapshot may neither lock what has changed since, nor know of it.
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount) VALUES ('doubt', '', FALSE, 0);
            RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD END;
        END IF;
        IF TG_OP = 'UPDATE' THEN
            PERFORM 1 FROM {schema}.customer r WHERE r.id = NEW.id FOR UPDATE SKIP LOCKED;
            is_doubtful := NOT FOUND;
        END IF;
        WITH locked AS MATERIALIZED (
            SELECT m.customer_group_id FROM {schema}.customer_group_customers m WHERE m.customer_id = OLD.id
            FOR KEY SHARE SKIP LOCKED),
        counted AS (
            INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
            SELECT 'members', l.customer_group_id, v.has_account, v.amount
            FROM locked l CROSS JOIN (VALUES (was, -1), (becomes, 1)) v (has_account, amount)
            WHERE v.has_account IS NOT NULL)
        SELECT is_doubtful OR (SELECT count(*) FROM locked) <> (SELECT count(*) FROM {schema}.customer_group_customers m
                                                    WHERE m.customer_id = OLD.id)
        INTO is_doubtful;
        IF is_doubtful THEN
            INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount) VALUES ('doubt', '', FALSE, 0);
        END IF;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD END;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_schema_name OR integrity_constraint_violation OR data_exception THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD END;
END
