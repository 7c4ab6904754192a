-- How many there are of what, kept by triggers: the members of each group, the customers and the groups, but for those that
-- are deleted; those with an account and those without apart.
CREATE TABLE stheno_count (
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    has_account INTEGER NOT NULL,
    amount      INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, has_account)
) WITHOUT ROWID;
INSERT INTO stheno_count (kind, subject, has_account, amount)
    SELECT 'members', m.customer_group_id, c.has_account, count(*)
    FROM customer_group_customers m JOIN customer c ON c.id = m.customer_id
    WHERE c.deleted_at IS NULL GROUP BY 2, 3
    UNION ALL
    SELECT 'customers', '', has_account, count(*) FROM customer WHERE deleted_at IS NULL GROUP BY 3
    UNION ALL
    SELECT 'groups', '', FALSE, count(*) FROM customer_group WHERE deleted_at IS NULL;

CREATE TRIGGER stheno_member_added AFTER INSERT ON customer_group_customers
BEGIN
    INSERT INTO stheno_count (kind, subject, has_account, amount)
        SELECT 'members', NEW.customer_group_id, c.has_account, 1
        FROM customer c WHERE c.id = NEW.customer_id AND c.deleted_at IS NULL
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER stheno_member_removed AFTER DELETE ON customer_group_customers
BEGIN
    UPDATE stheno_count SET amount = amount - 1
        WHERE kind = 'members' AND subject = OLD.customer_group_id AND has_account =
            (SELECT c.has_account FROM customer c WHERE c.id = OLD.customer_id AND c.deleted_at IS NULL);
END;
CREATE TRIGGER stheno_member_changed AFTER UPDATE ON customer_group_customers
BEGIN
    UPDATE stheno_count SET amount = amount - 1
        WHERE kind = 'members' AND subject = OLD.customer_group_id AND has_account =
            (SELECT c.has_account FROM customer c WHERE c.id = OLD.customer_id AND c.deleted_at IS NULL);
    INSERT INTO stheno_count (kind, subject, has_account, amount)
        SELECT 'members', NEW.customer_group_id, c.has_account, 1
        FROM customer c WHERE c.id = NEW.customer_id AND c.deleted_at IS NULL
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;

CREATE TRIGGER stheno_customer_added AFTER INSERT ON customer WHEN NEW.deleted_at IS NULL
BEGIN
    INSERT INTO stheno_count (kind, subject, has_account, amount) VALUES ('customers', '', NEW.has_account, 1)
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
-- The memberships go first, as long as it can be told what the customer was counted as.
CREATE TRIGGER stheno_customer_removed BEFORE DELETE ON customer
BEGIN
    DELETE FROM customer_group_customers WHERE customer_id = OLD.id;
    UPDATE stheno_count SET amount = amount - 1
        WHERE kind = 'customers' AND has_account = OLD.has_account AND OLD.deleted_at IS NULL;
END;
CREATE TRIGGER stheno_customer_changed AFTER UPDATE ON customer
WHEN (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) OR OLD.has_account <> NEW.has_account
BEGIN
    UPDATE stheno_count SET amount = amount - 1
        WHERE OLD.deleted_at IS NULL AND has_account = OLD.has_account AND (kind = 'customers' OR kind = 'members'
          AND subject IN (SELECT m.customer_group_id FROM customer_group_customers m WHERE m.customer_id = NEW.id));
    INSERT INTO stheno_count (kind, subject, has_account, amount)
        SELECT kind, subject, NEW.has_account, 1
        FROM (SELECT 'customers' AS kind, '' AS subject UNION ALL
              SELECT 'members', m.customer_group_id FROM customer_group_customers m WHERE m.customer_id = NEW.id)
        WHERE NEW.deleted_at IS NULL
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;

CREATE TRIGGER stheno_group_added AFTER INSERT ON customer_group
BEGIN
    UPDATE stheno_count SET amount = amount + (NEW.deleted_at IS NULL) WHERE kind = 'groups';
END;
-- Its members go first, and no row of theirs stays behind.
CREATE TRIGGER stheno_group_removed BEFORE DELETE ON customer_group
BEGIN
    DELETE FROM customer_group_customers WHERE customer_group_id = OLD.id;
    DELETE FROM stheno_count WHERE kind = 'members' AND subject = OLD.id;
    UPDATE stheno_count SET amount = amount - (OLD.deleted_at IS NULL) WHERE kind = 'groups';
END;
CREATE TRIGGER stheno_group_changed AFTER UPDATE ON customer_group
WHEN (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)
BEGIN
    UPDATE stheno_count SET amount = amount + (OLD.deleted_at IS NOT NULL) - (NEW.deleted_at IS NOT NULL)
        WHERE kind = 'groups';
END;
