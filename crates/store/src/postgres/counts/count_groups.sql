
-- Counts groups that come, go, or are deleted or restored.
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
        SELECT 'groups', '', FALSE, count(*) FROM added a WHERE a.deleted_at IS NULL HAVING count(*) > 0;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount)
        SELECT 'groups', '', FALSE, -count(*) FROM removed a WHERE a.deleted_at IS NULL HAVING count(*) > 0;
    END IF;
    RETURN NULL;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_schema_name OR integrity_constraint_violation OR data_exception THEN
    RETURN NULL;
END
