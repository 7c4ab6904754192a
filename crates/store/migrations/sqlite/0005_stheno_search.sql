-- The texts that customers and groups are searched by, as an index of their trigrams: it finds where a term of three letters or
-- more may be; the texts themselves decide. Its rows have numbers of their own, since those of the tables may change when the
-- file is copied anew.
CREATE TABLE stheno_customer_text (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE
);
CREATE TABLE stheno_customer_group_text (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE stheno_customer_search USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');
CREATE VIRTUAL TABLE stheno_customer_group_search USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');

INSERT INTO stheno_customer_text (id) SELECT id FROM customer;
INSERT INTO stheno_customer_group_text (id) SELECT id FROM customer_group;
-- Of what the index folds otherwise than the search does, the letter that becomes one of ASCII is folded here.
INSERT INTO stheno_customer_search (rowid, text)
    SELECT t.number, replace(c.email || ' ' || coalesce(c.first_name, '') || ' ' || coalesce(c.last_name, ''), 'İ', 'i')
    FROM stheno_customer_text t JOIN customer c ON c.id = t.id;
INSERT INTO stheno_customer_group_search (rowid, text)
    SELECT t.number, replace(g.name, 'İ', 'i') FROM stheno_customer_group_text t JOIN customer_group g ON g.id = t.id;

CREATE TRIGGER stheno_customer_text_added AFTER INSERT ON customer
BEGIN
    INSERT INTO stheno_customer_text (id) VALUES (NEW.id);
    INSERT INTO stheno_customer_search (rowid, text)
        SELECT t.number,
            replace(NEW.email || ' ' || coalesce(NEW.first_name, '') || ' ' || coalesce(NEW.last_name, ''), 'İ', 'i')
        FROM stheno_customer_text t WHERE t.id = NEW.id;
END;
CREATE TRIGGER stheno_customer_text_changed AFTER UPDATE OF email, first_name, last_name ON customer
WHEN NEW.email <> OLD.email OR NEW.first_name IS NOT OLD.first_name OR NEW.last_name IS NOT OLD.last_name
BEGIN
    DELETE FROM stheno_customer_search WHERE rowid = (SELECT t.number FROM stheno_customer_text t WHERE t.id = NEW.id);
    INSERT INTO stheno_customer_search (rowid, text)
        SELECT t.number,
            replace(NEW.email || ' ' || coalesce(NEW.first_name, '') || ' ' || coalesce(NEW.last_name, ''), 'İ', 'i')
        FROM stheno_customer_text t WHERE t.id = NEW.id;
END;
CREATE TRIGGER stheno_customer_text_removed AFTER DELETE ON customer
BEGIN
    DELETE FROM stheno_customer_search WHERE rowid = (SELECT t.number FROM stheno_customer_text t WHERE t.id = OLD.id);
    DELETE FROM stheno_customer_text WHERE id = OLD.id;
END;

CREATE TRIGGER stheno_customer_group_text_added AFTER INSERT ON customer_group
BEGIN
    INSERT INTO stheno_customer_group_text (id) VALUES (NEW.id);
    INSERT INTO stheno_customer_group_search (rowid, text)
        SELECT t.number, replace(NEW.name, 'İ', 'i') FROM stheno_customer_group_text t WHERE t.id = NEW.id;
END;
CREATE TRIGGER stheno_customer_group_text_changed AFTER UPDATE OF name ON customer_group WHEN NEW.name <> OLD.name
BEGIN
    DELETE FROM stheno_customer_group_search
        WHERE rowid = (SELECT t.number FROM stheno_customer_group_text t WHERE t.id = NEW.id);
    INSERT INTO stheno_customer_group_search (rowid, text)
        SELECT t.number, replace(NEW.name, 'İ', 'i') FROM stheno_customer_group_text t WHERE t.id = NEW.id;
END;
CREATE TRIGGER stheno_customer_group_text_removed AFTER DELETE ON customer_group
BEGIN
    DELETE FROM stheno_customer_group_search
        WHERE rowid = (SELECT t.number FROM stheno_customer_group_text t WHERE t.id = OLD.id);
    DELETE FROM stheno_customer_group_text WHERE id = OLD.id;
END;
