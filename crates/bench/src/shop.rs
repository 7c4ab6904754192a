//! The shop that is measured: customers, and groups of different sizes. The same in every run.

/// How many customers and groups a shop has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shop {
    pub(crate) customers: usize,
    pub(crate) groups: usize,
}

/// The groups whose members are listed: half of all customers, 1 % of them, and a hundred.
const LARGE: usize = 0;
const MIDDLE: usize = 1;
const SMALL: usize = 2;

/// The groups of this number on have about as many members each.
const FIRST_USUAL: usize = 3;

impl Shop {
    pub(crate) fn of(customers: usize) -> Self {
        Self { customers, groups: (customers / 200).max(200) }
    }

    pub(crate) fn large_group(self) -> String {
        group_id(LARGE)
    }

    pub(crate) fn middle_group(self) -> String {
        group_id(MIDDLE)
    }

    pub(crate) fn small_group(self) -> String {
        group_id(SMALL)
    }

    /// A group that nobody writes to.
    pub(crate) fn any_group(self, number: u64) -> String {
        group_id(usize::try_from(number % self.groups as u64).unwrap_or_default())
    }

    pub(crate) fn large_members(self) -> usize {
        self.customers / 2
    }

    fn middle_members(self) -> usize {
        (self.customers / 100).max(1)
    }

    /// Statements that fill the tables: in all three times as many memberships as customers.
    pub(crate) fn statements(self, engine: Engine) -> Vec<String> {
        let Self { customers, groups } = self;
        let numbers = |name: &str, count: usize| engine.numbers(name, count);
        let (group, customer) = (engine.id("cgrp_01BENCH", "n"), engine.id("cus_01BENCH", "n"));
        let members = |group: usize, count: usize, every: usize| {
            format!(
                "INSERT INTO customer_group_customers (customer_group_id, customer_id)
                 SELECT '{}', {} FROM {}",
                group_id(group),
                engine.id("cus_01BENCH", &format!("n * {every}")),
                numbers("n", count)
            )
        };
        let usual = customers * 5 / 2;
        vec![
            format!(
                "INSERT INTO customer_group (id, name, metadata, created_at, updated_at)
                 SELECT {group}, {}, {}, {time}, {time} FROM {}",
                engine.padded("group ", "n", 6),
                engine.json("'{\"tier\":' || (n % 5) || '}'"),
                numbers("n", groups),
                time = engine.time("n * 60"),
            ),
            format!(
                "INSERT INTO customer (id, email, first_name, last_name, has_account, created_at, updated_at)
                 SELECT {customer}, 'customer' || n || '@example.com', 'First' || (n % 997), 'Last' || (n % 1009),
                        n % 3 = 0, {}, {}
                 FROM {}",
                engine.time("n * 7"),
                engine.time("(n * 7919) % 1000003"),
                numbers("n", customers),
            ),
            members(LARGE, self.large_members(), 1),
            members(MIDDLE, self.middle_members(), 97),
            members(SMALL, 100.min(customers), 1),
            format!(
                "INSERT INTO customer_group_customers (customer_group_id, customer_id)
                 SELECT DISTINCT {}, {} FROM {}",
                engine.id("cgrp_01BENCH", &format!("({FIRST_USUAL} + n % {})", groups - FIRST_USUAL)),
                engine.id("cus_01BENCH", &format!("((n * 7919) % {customers})")),
                numbers("n", usual),
            ),
        ]
    }
}

/// What the shop is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// A table of the numbers from 0 on.
    fn numbers(self, name: &str, count: usize) -> String {
        match self {
            Self::Sqlite => format!(
                "(WITH RECURSIVE i ({name}) AS (SELECT 0 UNION ALL SELECT {name} + 1 FROM i WHERE {name} + 1 < {count})
                  SELECT {name} FROM i)"
            ),
            Self::Postgres => format!("generate_series(0::bigint, {count} - 1) i ({name})"),
        }
    }

    fn id(self, prefix: &str, number: &str) -> String {
        self.padded(prefix, number, 19)
    }

    fn padded(self, prefix: &str, number: &str, width: usize) -> String {
        match self {
            Self::Sqlite => format!("printf('{prefix}%0{width}d', {number})"),
            Self::Postgres => format!("'{prefix}' || lpad(({number})::text, {width}, '0')"),
        }
    }

    fn time(self, seconds: &str) -> String {
        match self {
            Self::Sqlite => {
                format!("strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2024-01-01', ({seconds}) || ' seconds')")
            }
            Self::Postgres => format!("timestamptz '2024-01-01Z' + ({seconds}) * interval '1 second'"),
        }
    }

    fn json(self, text: &str) -> String {
        match self {
            Self::Sqlite => text.to_owned(),
            Self::Postgres => format!("({text})::jsonb"),
        }
    }
}

pub(crate) fn customer_id(number: usize) -> String {
    format!("cus_01BENCH{number:019}")
}

fn group_id(number: usize) -> String {
    format!("cgrp_01BENCH{number:019}")
}
