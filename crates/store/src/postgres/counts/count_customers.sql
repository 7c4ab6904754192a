
-- Counts customers who come and go.
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
        SELECT 'customers', '', a.has_account, count(*) FROM added a WHERE a.deleted_at IS NULL GROUP BY a.has_account;
    ELSE
        INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
        SELECT 'customers', '', a.has_account, -count(*) FROM removed a WHERE a.deleted_at IS NULL GROUP BY a.has_account;
    END IF;
    RETURN NULL;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_schema_name OR integrity_constraint_violation OR data_exception THEN
    RETURN NULL;
END
