
-- What is emptied as a whole is counted anew.
BEGIN
    INSERT INTO {schema}.stheno_count (kind, subject, has_account, amount) VALUES ('doubt', '', FALSE, 0);
    RETURN NULL;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_schema_name OR integrity_constraint_violation OR data_exception THEN
    RETURN NULL;
END
