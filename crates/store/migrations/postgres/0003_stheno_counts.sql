-- How many there are of what, kept by triggers: the members of each group, the customers and the groups, but for those that
-- are deleted.
--
-- Whoever writes adds rows of differences, so that nobody waits for another; a number is the sum of its rows, which are
-- folded into one now and then. A row of the kind `doubt` says that sums may be wrong: those of a group, or, without a
-- subject, all. As long as it is there, the rows themselves are counted.
CREATE TABLE IF NOT EXISTS stheno_count (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- `members`, whose subject is a group, `customers`, `groups` or `doubt`.
    kind        text NOT NULL,
    subject     text NOT NULL,
    has_account boolean NOT NULL,
    amount      bigint NOT NULL
);

-- What was there before, or has come while the table was lost, is yet to be counted.
INSERT INTO stheno_count (kind, subject, has_account, amount)
    SELECT 'doubt', '', FALSE, 0 WHERE NOT EXISTS (SELECT 1 FROM stheno_count)
        AND (EXISTS (SELECT 1 FROM customer) OR EXISTS (SELECT 1 FROM customer_group));
