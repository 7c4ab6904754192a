//! The one place that writes SQL which depends on what is asked: static text and bound parameters. A list of values
//! is one parameter, so that the statements are few and stay prepared.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::cursor::{self, Bookmark, Key};
use crate::customer::{AccountFilter, CustomerFilter};
use crate::customer_group::CustomerGroupFilter;
use crate::entity::{Catalog, Column, ColumnKind, Relation, Table};
use crate::filter::{Bound, DateRange, IdFilter, TextComparison};
use crate::fold::fold;
use crate::selection::{Order, Selection, Window};

/// The SQL that an engine understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres(Traits),
}

/// What is told of a PostgreSQL database: where it does not by itself compare texts as [`fold`] and code points do, and
/// what it keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Texts must be told to be ordered by code points.
    pub(crate) order: bool,
    /// Texts must be told to fold case as the locale C.UTF-8 does.
    pub(crate) fold: bool,
    /// The table `stheno_count` says how many there are.
    pub(crate) counts: bool,
    /// Customers have indexes in the orders that they are asked for in.
    pub(crate) orders: bool,
    /// The names of groups have an index of trigrams.
    pub(crate) trigrams: bool,
}

impl Dialect {
    /// What makes a text be ordered by code points.
    fn by_code_points(self) -> &'static str {
        match self {
            Self::Postgres(Traits { order: true, .. }) => " COLLATE \"C\"",
            _ => "",
        }
    }

    /// What makes a text be compared in any case.
    fn in_any_case(self) -> &'static str {
        match self {
            Self::Postgres(Traits { fold: true, .. }) => " COLLATE \"C.utf8\"",
            _ => "",
        }
    }

    /// How many members the group `row` has, as a number.
    fn customer_count(self, row: &str) -> String {
        let kept = format!(
            "(SELECT coalesce(sum(k.amount), 0) FROM stheno_count k WHERE k.kind = 'members' AND k.subject = {row}.id)"
        );
        let rows = format!(
            "(SELECT count(*) FROM customer_group_customers h JOIN customer i ON i.id = h.customer_id
              WHERE h.customer_group_id = {row}.id AND i.deleted_at IS NULL)"
        );
        match self {
            Self::Sqlite => kept,
            Self::Postgres(Traits { counts: false, .. }) => rows,
            Self::Postgres(_) => {
                format!("(CASE WHEN {} THEN {rows} ELSE {kept} END)::bigint", doubt(&format!("'', {row}.id")))
            }
        }
    }
}

/// Whether the kept counts of any of these subjects are in doubt.
fn doubt(subjects: &str) -> String {
    format!("EXISTS (SELECT 1 FROM stheno_count d WHERE d.kind = 'doubt' AND d.subject IN ({subjects}))")
}

/// A value that is bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameter {
    Text(String),
    /// A list of texts, as one value.
    Texts(Vec<String>),
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Time(Timestamp),
}

/// A statement that grows: its text, and the values bound to it so far.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    dialect: Dialect,
    pub(crate) text: String,
    pub(crate) parameters: Vec<Parameter>,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::with_capacity(256), parameters: Vec::new() }
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    fn bind(&mut self, parameter: Parameter) -> &mut Self {
        let parameter = self.parameter(parameter);
        self.push(&parameter)
    }

    /// What stands for a value that is bound.
    fn parameter(&mut self, parameter: Parameter) -> String {
        self.parameters.push(parameter);
        let number = self.parameters.len();
        match self.dialect {
            Dialect::Sqlite => format!("?{number}"),
            Dialect::Postgres(_) => format!("${number}"),
        }
    }

    /// ` AND column IN (values)`
    fn and_one_of(&mut self, column: &str, values: &[String]) -> &mut Self {
        self.push(" AND ").push(column);
        match self.dialect {
            Dialect::Sqlite => self
                .push(" IN (SELECT value FROM json_each(")
                .bind(Parameter::Texts(values.to_vec()))
                .push("))"),
            Dialect::Postgres(_) => {
                self.push(" = ANY(").bind(Parameter::Texts(values.to_vec())).push("::text[])")
            }
        }
    }

    /// ` AND column operator value`
    fn and_compare(&mut self, column: &str, operator: &str, value: Parameter) -> &mut Self {
        self.push(" AND ").push(column).push(" ").push(operator).push(" ").bind(value)
    }

    fn and_within(&mut self, column: &str, range: &DateRange) {
        let bounds = [(">", range.gt), (">=", range.gte), ("<", range.lt), ("<=", range.lte)];
        for (operator, bound) in bounds {
            let after = operator.starts_with('>');
            match bound {
                None => {}
                Some(Bound::At(time)) => {
                    self.and_compare(column, operator, Parameter::Time(time));
                }
                Some(Bound::Past) if after => {}
                Some(Bound::Future) if !after => {}
                Some(Bound::Past | Bound::Future) => {
                    self.push(" AND FALSE");
                }
            }
        }
    }

    fn and_compare_text(&mut self, column: &str, comparison: &TextComparison) {
        let TextComparison { gt, gte, lt, lte, starts_with, ends_with, contains } = comparison;
        let ordered = format!("{column}{}", self.dialect.by_code_points());
        for (operator, value) in [(">", gt), (">=", gte), ("<", lt), ("<=", lte)] {
            if let Some(value) = value {
                self.and_compare(&ordered, operator, Parameter::Text(value.clone()));
            }
        }
        let places = [
            (Place::Start, "stheno_starts_with", starts_with),
            (Place::End, "stheno_ends_with", ends_with),
            (Place::Anywhere, "stheno_contains", contains),
        ];
        for (place, function, value) in places {
            if let Some(value) = value {
                self.and_has(function, &[column], place, value);
            }
        }
    }

    /// ` AND one of the texts has the term at this place, in any case`: by a function of Stheno's where the engine has
    /// them.
    fn and_has(&mut self, function: &str, texts: &[&str], place: Place, term: &str) {
        match self.dialect {
            Dialect::Sqlite => {
                self.push(" AND ").push(function).push("(").push(&texts.join(", ")).push(", ");
                self.bind(Parameter::Text(fold(term))).push(")");
            }
            Dialect::Postgres(_) => {
                let pattern = place.pattern(term);
                for (index, text) in texts.iter().enumerate() {
                    self.push(if index == 0 { " AND (" } else { " OR " }).push(text);
                    self.push(self.dialect.in_any_case()).push(" ILIKE ");
                    self.bind(Parameter::Text(pattern.clone()));
                }
                self.push(")");
            }
        }
    }

    /// ` AND the customer's address, a name, or first and last name with a space between, has the term in any case`
    fn and_customer_matches(&mut self, term: &str) {
        let texts = ["r.email", "r.first_name", "r.last_name", "(r.first_name || ' ' || r.last_name)"];
        let texts = match self.dialect {
            // The function puts the names together itself.
            Dialect::Sqlite => &texts[..3],
            // What goes across both names has the space between them; but blanks alone are no name.
            Dialect::Postgres(_) if !term.contains(' ') || term.trim().is_empty() => &texts[..3],
            Dialect::Postgres(_) => &texts,
        };
        self.and_has("stheno_customer_matches", texts, Place::Anywhere, term);
    }

    /// ` ORDER BY` a key, which may be the id itself, and among equals by id: ascending in either direction, as Medusa does.
    fn push_order(&mut self, key: &str, id: &str, order: &Order, from_the_end: bool) {
        let Order { column, textual, nullable, descending, .. } = order;
        let direction = |descending: bool| if descending { " DESC" } else { "" };
        let descending = *descending != from_the_end;
        let by_code_points = self.dialect.by_code_points();
        self.push(" ORDER BY ");
        let by_id = column == "id";
        if !by_id {
            self.push(key).push(if *textual { by_code_points } else { "" });
            self.push(direction(descending));
            // PostgreSQL's own place, said or not; said, it would keep an index from being used.
            if *nullable && self.dialect == Dialect::Sqlite {
                self.push(if descending { " NULLS FIRST" } else { " NULLS LAST" });
            }
            self.push(", ");
        }
        self.push(id).push(by_code_points).push(direction(if by_id { descending } else { from_the_end }));
    }

    /// ` FROM` the rows `k` of a kept count.
    fn push_kept(&mut self, kept: &KeptCount) -> &mut Self {
        let KeptCount { kind, group, has_account } = kept;
        let _ = write!(self.text, " FROM stheno_count k WHERE k.kind = '{kind}' AND k.subject = ");
        match group {
            // That of a group that is deleted shows nothing.
            Some(group) => {
                self.push("(SELECT g.id FROM customer_group g WHERE g.id = ");
                self.bind(Parameter::Text(group.clone())).push(" AND g.deleted_at IS NULL)")
            }
            None => self.push("''"),
        };
        if let Some(has_account) = has_account {
            self.and_compare("k.has_account", "=", Parameter::Boolean(*has_account));
        }
        self
    }

    /// The rows that a relation leads to from a row: that of the first parameter in SQLite, the row `p` in PostgreSQL.
    fn push_related(
        &mut self,
        catalog: &Catalog,
        relation: Relation,
        selection: &Selection,
        only: Option<&[String]>,
    ) {
        let (join, parent_column, order) = match relation {
            Relation::Customers => (
                "customer_group_customers l JOIN customer r ON r.id = l.customer_id",
                "l.customer_group_id",
                "l.customer_id",
            ),
            Relation::Groups => (
                "customer_group_customers l JOIN customer_group r ON r.id = l.customer_group_id",
                "l.customer_id",
                "l.customer_group_id",
            ),
            Relation::PriceLists => (
                "price_list_customer_groups l JOIN price_list r ON r.id = l.price_list_id",
                "l.customer_group_id",
                "l.price_list_id",
            ),
            Relation::CustomerGroups => (
                "price_list_customer_groups l JOIN customer_group r ON r.id = l.customer_group_id",
                "l.price_list_id",
                "l.customer_group_id",
            ),
            Relation::ShippingAddresses => ("address r", "r.customer_id", "r.id"),
            Relation::BillingAddress => {
                ("customer l JOIN address r ON r.id = l.billing_address_id", "l.id", "r.id")
            }
            Relation::Customer => ("address l JOIN customer r ON r.id = l.customer_id", "l.id", "r.id"),
            Relation::Orders => ("\"order\" r", "r.customer_id", "r.id"),
        };
        let dialect = self.dialect;
        self.push("SELECT ")
            .push(&columns(dialect, catalog, "r", selection))
            .push(" FROM ")
            .push(join)
            .push(" WHERE ")
            .push(parent_column)
            .push(" = ")
            .push(match dialect {
                Dialect::Sqlite => "?1",
                Dialect::Postgres(_) => "p.id",
            });
        if selection.table != Table::Order {
            self.push(" AND r.deleted_at IS NULL");
        }
        if let Some(only) = only {
            self.and_one_of("r.id", only);
        }
        self.push(" ORDER BY ").push(order).push(dialect.by_code_points());
    }

    fn push_window(&mut self, window: Window) {
        let limit = window.limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let offset = i64::try_from(window.offset).unwrap_or(i64::MAX);
        match (self.dialect, limit) {
            // SQLite knows an offset only behind a limit.
            (Dialect::Sqlite, None) => self.push(" LIMIT ").bind(Parameter::Integer(-1)),
            (Dialect::Postgres(_), None) => self,
            (_, Some(limit)) => self.push(" LIMIT ").bind(Parameter::Integer(limit)),
        }
        .push(" OFFSET ")
        .bind(Parameter::Integer(offset));
    }
}

/// Whether SQLite's index of trigrams finds all that a folded term is in: it has three letters, and none whose capital letter the
/// index takes for another.
fn is_found_by_trigrams(term: &str) -> bool {
    let is_folded_otherwise = |letter| {
        matches!(
            letter,
            '\0' | '\u{19b}'
                | '\u{250}'..='\u{2af}'
                | '\u{3f3}'
                | '\u{529}'..='\u{52f}'
                | '\u{10d0}'..='\u{10ff}'
                | '\u{13a0}'..='\u{13ff}'
                | '\u{1c80}'..='\u{1c8f}'
                | '\u{1d79}'..='\u{1d8e}'
                | '\u{2c5f}'
                | '\u{a640}'..='\u{abff}'
                | '\u{10000}'..
        )
    };
    term.chars().nth(2).is_some() && !term.chars().any(is_folded_otherwise)
}

/// Where in a text a term is looked for.
#[derive(Debug, Clone, Copy)]
enum Place {
    Start,
    End,
    Anywhere,
}

impl Place {
    /// A pattern of `ILIKE` in which nothing of the term has a meaning of its own.
    fn pattern(self, term: &str) -> String {
        let mut pattern = String::with_capacity(term.len() + 2);
        if !matches!(self, Self::Start) {
            pattern.push('%');
        }
        for character in term.chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        if !matches!(self, Self::End) {
            pattern.push('%');
        }
        pattern
    }
}

/// A name in SQL. The names are Medusa's or read from the database itself.
pub(crate) fn quoted(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    push_quoted(&mut text, name);
    text
}

fn push_quoted(text: &mut String, name: &str) {
    text.push('"');
    for (number, part) in name.split('"').enumerate() {
        if number > 0 {
            text.push_str("\"\"");
        }
        text.push_str(part);
    }
    text.push('"');
}

/// `row.id, row."name", …`: the id, for the relations, unless it is the first of the columns of a selection; these; and what is
/// computed.
pub(crate) fn columns(dialect: Dialect, catalog: &Catalog, row: &str, selection: &Selection) -> String {
    // Written for most of the calls.
    let mut text = String::with_capacity(512);
    let mut separator = "";
    if selection.lead(catalog) > 0 {
        text.extend([row, ".id"]);
        separator = ", ";
    }
    let columns = catalog.columns(selection.table);
    for position in &selection.columns {
        let column = &columns[*position];
        let (before, behind) = match dialect {
            Dialect::Sqlite => ("", ""),
            Dialect::Postgres(_) => readable(column),
        };
        text.extend([separator, before, row, "."]);
        push_quoted(&mut text, &column.name);
        text.push_str(behind);
        separator = ", ";
    }
    if selection.customer_count {
        text.extend([", ", &dialect.customer_count(row)]);
    }
    text
}

/// What makes a column of PostgreSQL's one of the few types that are read: before its name, and behind it.
fn readable(column: &Column) -> (&'static str, &'static str) {
    let Column { kind, declared, .. } = column;
    match kind {
        ColumnKind::Text if is_textual(declared) => ("", ""),
        // An enum.
        ColumnKind::Text => ("", "::text"),
        ColumnKind::Boolean | ColumnKind::Time => ("", ""),
        ColumnKind::Json if declared == "jsonb" => ("", ""),
        ColumnKind::Json => ("", "::jsonb"),
        ColumnKind::Plain | ColumnKind::Secret => ("to_jsonb(", ")"),
    }
}

/// Whether a type, as PostgreSQL names it, is of texts that a collation orders.
pub(crate) fn is_textual(declared: &str) -> bool {
    declared == "text" || declared.starts_with("character")
}

/// One row by its id.
pub(crate) fn retrieve(dialect: Dialect, catalog: &Catalog, selection: &Selection, id: &str) -> Statement {
    let mut statement = Statement::new(dialect);
    statement
        .push("SELECT ")
        .push(&columns(dialect, catalog, "r", selection))
        .push(" FROM ")
        .push(&quoted(selection.table.name()))
        .push(" r WHERE r.id = ")
        .bind(Parameter::Text(id.to_owned()))
        .push(" AND r.deleted_at IS NULL");
    statement
}

/// A search for members among the customers, see [`ListSource::walk`].
pub(crate) struct Walk {
    pub(crate) statement: Statement,
    /// How many ids it must find.
    pub(crate) shown: u64,
    from_the_end: bool,
}

impl Walk {
    /// The ids that were found, in the order of the list, if they are as many as they must be.
    pub(crate) fn found(&self, mut ids: Vec<String>) -> Option<Vec<String>> {
        if self.from_the_end {
            ids.reverse();
        }
        (ids.len() as u64 == self.shown).then_some(ids)
    }
}

/// What a list is made from: the rows, and how they are counted and ordered.
pub(crate) struct ListSource {
    /// ` FROM … WHERE …`, for the rows `r`.
    source: Statement,
    /// The column that has the rows' ids in the order in which they are found.
    id: &'static str,
    /// The number of the rows, if it is one that is kept.
    kept: Option<KeptCount>,
    /// What is searched for.
    term: Option<String>,
    /// Among how many rows that is, if it is kept.
    among: Option<KeptCount>,
    table: Table,
    /// What [`cursor::rows_of`] says of them.
    rows: u64,
}

/// A number in the table `stheno_count`.
#[derive(Debug, Clone)]
struct KeptCount {
    kind: &'static str,
    /// The group whose members are counted.
    group: Option<String>,
    has_account: Option<bool>,
}

/// Of how many rows a kept count may be the sum before they are to be folded.
pub(crate) const MANY: u32 = 64;

/// Pages from here on are read when it is known how many rows there are: from the end, if that is nearer.
pub(crate) const DEEP: u64 = 1_000;

/// So many rows that are found are sorted for a page.
const FEW: u64 = 1_000;

/// So many rows that have a part of a term are looked through for all of it.
pub(crate) const NEAR: u64 = 100;

/// What all lists of groups begin with.
const GROUPS: &str = " FROM customer_group r";

/// The column of a page in which the number of all rows is.
pub(crate) const TOTAL: &str = "stheno_total";

/// What groups and customers have indexes of, in the order of a list.
const INDEXED: [&str; 8] =
    ["id", "created_at", "updated_at", "name", "email", "first_name", "last_name", "has_account"];

/// In which of these orders members of a group may be found among all customers.
const WALKED: [&str; 5] = ["created_at", "updated_at", "email", "first_name", "last_name"];

/// Groups of up to this many members are sorted for each page.
const SMALL_GROUP: u64 = 500;

/// How many customers are gone through at the most for a page of members. It is about what sorting a third as many members
/// takes.
const WALK: u64 = 20_000;

/// Pages of up to this many rows may be read from the end, as they are then sorted once more.
const SHORT: u64 = 1_000;

impl ListSource {
    pub(crate) fn customer_groups(dialect: Dialect, filter: &CustomerGroupFilter) -> Self {
        let CustomerGroupFilter { q, names, id, created_at, updated_at, discount_condition_id } = filter;
        let mut source = Statement::new(dialect);
        source.push(GROUPS);
        if let Some(condition) = discount_condition_id {
            source
                .push(" JOIN discount_condition_customer_group d ON d.customer_group_id = r.id AND d.condition_id = ")
                .bind(Parameter::Text(condition.clone()));
        }
        source.push(" WHERE r.deleted_at IS NULL");
        if let Some(term) = q {
            source.and_has("stheno_contains", &["r.name"], Place::Anywhere, term);
        }
        if let Some(names) = names {
            source.and_one_of("r.name", names);
        }
        match id {
            Some(IdFilter::OneOf(ids)) => {
                source.and_one_of("r.id", ids);
            }
            Some(IdFilter::Compare(comparison)) => source.and_compare_text("r.id", comparison),
            None => {}
        }
        source.and_within("r.created_at", created_at);
        source.and_within("r.updated_at", updated_at);
        let is_whole = *filter == CustomerGroupFilter::default();
        let kept = is_whole.then_some(KeptCount { kind: "groups", group: None, has_account: None });
        Self {
            source,
            id: "r.id",
            kept,
            term: q.clone(),
            among: None,
            table: Table::CustomerGroup,
            rows: cursor::rows_of(Table::CustomerGroup, filter),
        }
    }

    pub(crate) fn customers(dialect: Dialect, filter: &CustomerFilter) -> Self {
        let CustomerFilter { q, groups, has_account, created_at, updated_at } = filter;
        let mut source = Statement::new(dialect);
        let mut id = "r.id";
        match groups.as_deref() {
            // The members of one group come straight from the table of memberships, in the order of their ids.
            Some([group]) => {
                id = "m.customer_id";
                source
                    .push(" FROM customer_group g JOIN customer_group_customers m ON m.customer_group_id = g.id")
                    .push(" JOIN customer r ON r.id = m.customer_id WHERE g.id = ")
                    .bind(Parameter::Text(group.clone()))
                    .push(" AND g.deleted_at IS NULL AND r.deleted_at IS NULL");
            }
            Some(groups) => {
                source
                    .push(" FROM customer r WHERE r.deleted_at IS NULL AND r.id IN (SELECT m.customer_id")
                    .push(" FROM customer_group g JOIN customer_group_customers m ON m.customer_group_id = g.id")
                    .push(" WHERE g.deleted_at IS NULL")
                    .and_one_of("g.id", groups)
                    .push(")");
            }
            None => {
                source.push(" FROM customer r WHERE r.deleted_at IS NULL");
            }
        }
        if let Some(term) = q {
            source.and_customer_matches(term);
        }
        match has_account {
            Some(AccountFilter::Is(value)) => {
                source.and_compare("r.has_account", "=", Parameter::Boolean(*value));
            }
            Some(AccountFilter::Null) => {
                source.push(" AND FALSE");
            }
            None => {}
        }
        source.and_within("r.created_at", created_at);
        source.and_within("r.updated_at", updated_at);
        let has_account = match has_account {
            Some(AccountFilter::Is(value)) => Some(*value),
            _ => None,
        };
        let counted = match groups.as_deref() {
            None => Some(KeptCount { kind: "customers", group: None, has_account }),
            Some([group]) => Some(KeptCount { kind: "members", group: Some(group.clone()), has_account }),
            Some(_) => None,
        };
        let asked = CustomerFilter {
            groups: groups.clone(),
            has_account: has_account.map(AccountFilter::Is),
            ..CustomerFilter::default()
        };
        let kept = counted.clone().filter(|_| *filter == asked);
        Self {
            source,
            id,
            kept,
            term: q.clone(),
            among: counted,
            table: Table::Customer,
            rows: cursor::rows_of(Table::Customer, filter),
        }
    }

    /// How many rows there are; and in PostgreSQL, where that is kept, whether somebody should tidy up.
    pub(crate) fn count(&self) -> Statement {
        let Statement { dialect, text: rows, parameters } = &self.source;
        let counted = format!("SELECT count(*){rows}");
        let (dialect, parameters) = (*dialect, parameters.clone());
        let mut statement = Statement { dialect, text: counted, parameters };
        let Some(kept) = &self.kept else { return statement };
        match dialect {
            Dialect::Sqlite => {
                statement = Statement::new(dialect);
                statement.push("SELECT coalesce(sum(k.amount), 0)").push_kept(kept);
            }
            Dialect::Postgres(Traits { counts: false, .. }) => {}
            Dialect::Postgres(_) => {
                statement.text =
                    format!("SELECT CASE WHEN d.doubt THEN ({}) ELSE k.amount END", statement.text);
                let _ = write!(statement.text, ", d.doubt OR k.rows > {MANY}");
                let subjects = if kept.group.is_some() { "'', $1" } else { "''" };
                let _ = write!(statement.text, " FROM (SELECT {} AS doubt) d", doubt(subjects));
                statement.push(
                    " CROSS JOIN (SELECT coalesce(sum(k.amount), 0)::bigint AS amount, count(*) AS rows",
                );
                statement.push_kept(kept);
                statement.push(") k");
            }
        }
        statement
    }

    /// The term that is searched for.
    pub(crate) fn term(&self) -> Option<&str> {
        self.term.as_deref()
    }

    /// Whether a term is searched for.
    pub(crate) fn searches(&self) -> bool {
        self.term.is_some()
    }

    /// Of SQLite: how many rows of all the index of trigrams finds for the term, or the part of it, up to a limit; and the same
    /// list, which begins with these. None, where the index cannot find all.
    pub(crate) fn by_trigrams(&self, part: &str, limit: u64) -> Option<(Statement, Self)> {
        let term = fold(part);
        if !is_found_by_trigrams(&term) {
            return None;
        }
        let term = Parameter::Text(format!("\"{}\"", term.replace('"', "\"\"")));
        let table = self.table.name();
        let (index, texts) = (format!("stheno_{table}_search"), format!("stheno_{table}_text"));
        let mut found = Statement::new(self.source.dialect);
        found.push("SELECT count(*) FROM (SELECT 1 FROM ").push(&index).push(" WHERE ").push(&index);
        found
            .push(" MATCH ")
            .bind(term.clone())
            .push(" LIMIT ")
            .bind(Parameter::Integer(limit.cast_signed()));
        found.push(")");
        let mut source = self.source.clone();
        // Joined in this order.
        let begin = format!(" FROM {index} CROSS JOIN {texts} t ON t.number = {index}.rowid CROSS JOIN ");
        source.text = source.text.replacen(" FROM ", &begin, 1);
        source.push(" AND r.id = t.id AND ").push(&index).push(" MATCH ").bind(term);
        let term = self.term.clone();
        Some((found, Self { source, id: "r.id", kept: None, term, among: None, ..*self }))
    }

    /// Of SQLite: how many rows there are among which the term is searched for, if that is kept.
    pub(crate) fn searched_among(&self) -> Option<Statement> {
        let mut statement = Statement::new(self.source.dialect);
        statement.push("SELECT coalesce(sum(k.amount), 0)").push_kept(self.among.as_ref()?);
        Some(statement)
    }

    /// Whether the rows of a page come in the order of an index, and are few to pass over.
    pub(crate) fn is_flat(&self, order: &Order) -> bool {
        let column = &*order.column;
        self.kept.as_ref().is_some_and(|kept| match (&kept.group, kept.has_account) {
            (None, None) => INDEXED.contains(&column),
            (None, Some(_)) => ["id", "created_at"].contains(&column),
            (Some(_), _) => column == "id",
        })
    }

    /// The rows of a window.
    pub(crate) fn page(
        &self,
        catalog: &Catalog,
        selection: &Selection,
        order: &Order,
        window: Window,
    ) -> Statement {
        self.rows(&self.columns(catalog, selection, order), order, window)
    }

    /// Of PostgreSQL: the same with the number of all rows in each of them, [`TOTAL`], where one statement has both at once.
    /// The number is null where this is not the way to it. Of a group's members also with this selection of the group.
    pub(crate) fn page_and_count(
        &self,
        catalog: &Catalog,
        selection: &Selection,
        group: Option<&Selection>,
        order: &Order,
        window: Window,
    ) -> Option<Statement> {
        let Dialect::Postgres(Traits { counts, trigrams, .. }) = self.source.dialect else { return None };
        match &self.kept {
            Some(kept) if counts && self.is_flat(order) => {
                Some(self.page_and_kept_count(kept, catalog, selection, group, order, window))
            }
            None if trigrams && order.after.is_none() => {
                self.page_of_few(self.last_word()?, catalog, selection, order, window)
            }
            _ => None,
        }
    }

    /// The number is one that is kept: null, where rows are to be counted, or what is kept to be tidied up.
    fn page_and_kept_count(
        &self,
        kept: &KeptCount,
        catalog: &Catalog,
        selection: &Selection,
        group: Option<&Selection>,
        order: &Order,
        window: Window,
    ) -> Statement {
        let dialect = self.source.dialect;
        let mut columns = self::columns(dialect, catalog, "r", selection);
        if let Some(group) = group {
            columns.extend([", ", &self::columns(dialect, catalog, "g", group)]);
        }
        // The values that the rows are chosen by are those that their number is kept of.
        let (subject, subjects) = if kept.group.is_some() { ("$1", "'', $1") } else { ("''", "''") };
        let _ = write!(
            columns,
            ", (SELECT CASE WHEN count(*) <= {MANY} AND NOT {} THEN coalesce(sum(k.amount), 0)::bigint END \
             FROM stheno_count k WHERE k.kind = '{}' AND k.subject = {subject}",
            doubt(subjects),
            kept.kind
        );
        if kept.has_account.is_some() {
            let _ = write!(columns, " AND k.has_account = ${}", self.source.parameters.len());
        }
        let _ = write!(columns, ") AS {TOTAL}, {}", told_key(dialect, order));
        self.rows(&columns, order, window)
    }

    /// The last part of a term for groups that has a trigram in any locale. By it, and so by the term, what is searched for is
    /// found at once, if it is rare.
    pub(crate) fn last_word(&self) -> Option<&str> {
        let term = self.term.as_deref().filter(|_| self.table == Table::CustomerGroup)?;
        term.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).find(|word| word.len() > 2)
    }

    /// The rows are found first, and then counted and sorted. The number is null, where they are more than a few.
    ///
    /// All that share a trigram are gone through in the index. So those with the last word alone are found before all others, as
    /// names differ at their ends: "group 00042".
    fn page_of_few(
        &self,
        word: &str,
        catalog: &Catalog,
        selection: &Selection,
        order: &Order,
        window: Window,
    ) -> Option<Statement> {
        let mut statement = self.source.clone();
        let dialect = statement.dialect;
        let conditions = std::mem::take(&mut statement.text);
        let conditions = conditions.strip_prefix(GROUPS)?;
        if self.term.as_deref() == Some(word) {
            let _ = write!(
                statement.text,
                "WITH found AS MATERIALIZED (SELECT r.*{GROUPS}{conditions} LIMIT {FEW} + 1)"
            );
        } else {
            let _ = write!(
                statement.text,
                "WITH near AS MATERIALIZED (SELECT r.*{GROUPS} WHERE r.deleted_at IS NULL"
            );
            statement.and_has("stheno_contains", &["r.name"], Place::Anywhere, word);
            let _ = write!(
                statement.text,
                " LIMIT {NEAR} + 1), found AS MATERIALIZED (
                    SELECT r.* FROM near r{conditions} AND (SELECT count(*) FROM near) <= {NEAR}
                    UNION ALL (SELECT r.*{GROUPS}{conditions} AND (SELECT count(*) FROM near) > {NEAR}
                               LIMIT {FEW} + 1))"
            );
        }
        let columns = columns(dialect, catalog, "r", selection);
        let _ = write!(
            statement.text,
            " SELECT {columns}, (SELECT CASE WHEN count(*) <= {FEW} THEN count(*) END FROM found) AS {TOTAL}, {}
              FROM found r",
            told_key(dialect, order)
        );
        statement.push_order(&key(order), self.id, order, false);
        statement.push_window(window);
        Some(statement)
    }

    /// What is read of each row; in PostgreSQL, with what [`ListSource::end_of`] reads of the last at the end.
    fn columns(&self, catalog: &Catalog, selection: &Selection, order: &Order) -> String {
        let dialect = self.source.dialect;
        let columns = columns(dialect, catalog, "r", selection);
        match dialect {
            Dialect::Sqlite => columns,
            Dialect::Postgres(_) => format!("{columns}, {}", told_key(dialect, order)),
        }
    }

    fn rows(&self, columns: &str, order: &Order, window: Window) -> Statement {
        if let Some(place) = &order.after {
            return behind(&self.source, self.id, columns, order, place, window);
        }
        let mut statement = self.source.clone();
        statement.text.insert_str(0, &format!("SELECT {columns}"));
        statement.push_order(&key(order), self.id, order, false);
        statement.push_window(window);
        statement
    }

    /// Whether there may be rows behind a page of a list that has so many, if it is full.
    pub(crate) fn may_go_on(count: u64, window: Window) -> bool {
        let end = window.limit.map(|limit| window.offset.saturating_add(limit));
        end.is_some_and(|end| end < count)
    }

    /// The id of the last row of a full page, and what it is ordered by.
    pub(crate) fn end_of(&self, count: u64, order: &Order, window: Window) -> Option<Statement> {
        let before = window.limit?.checked_sub(1)?;
        if !Self::may_go_on(count, window) {
            return None;
        }
        let columns = format!("r.id, {}", told_key(self.source.dialect, order));
        let last = Window { offset: window.offset + before, limit: Some(1) };
        self.rows_of(count, &columns, order, last)
    }

    /// The same, where the last row's id is known.
    pub(crate) fn end_at(&self, order: &Order, id: &str) -> Statement {
        let dialect = self.source.dialect;
        let mut statement = Statement::new(dialect);
        statement
            .push("SELECT r.id, ")
            .push(&told_key(dialect, order))
            .push(" FROM customer r WHERE r.id = ");
        statement.bind(Parameter::Text(id.to_owned()));
        statement
    }

    /// What the list goes on after behind this place.
    pub(crate) fn cursor(&self, place: &Bookmark, order: &Order) -> String {
        place.write(self.rows, order)
    }

    /// Where members are asked for in an order that customers have an index of: how many customers there are.
    pub(crate) fn all_customers(&self, order: &Order, window: Window) -> Option<Statement> {
        let is_indexed = !matches!(self.source.dialect, Dialect::Postgres(Traits { orders: false, .. }));
        let is_of_group = self.kept.as_ref().is_some_and(|kept| kept.group.is_some());
        let is_short = window.limit.is_some_and(|limit| limit <= SHORT);
        (is_of_group && is_indexed && is_short && WALKED.contains(&&*order.column))
            .then(|| Self::customers(self.source.dialect, &CustomerFilter::default()).count())
    }

    /// What finds the ids of the members in a window by going through the customers in this order, from the nearer end,
    /// where that is likely to be quicker than to sort the members. It gives up where the members are not spread among the
    /// customers.
    pub(crate) fn walk(&self, members: u64, customers: u64, order: &Order, window: Window) -> Option<Walk> {
        let kept = self.kept.as_ref()?;
        let group = kept.group.clone()?;
        let shown = members.saturating_sub(window.offset).min(window.limit?);
        if shown == 0 {
            return None;
        }
        let rest = members.saturating_sub(window.offset + shown);
        let from_the_end = rest < window.offset && order.after.is_none();
        let offset = if from_the_end { rest } else { window.offset };
        let likely = (offset + shown).saturating_mul(customers) / members * 3 / 2;
        if members <= SMALL_GROUP || likely > WALK.min(members.saturating_mul(2)) {
            return None;
        }
        let dialect = self.source.dialect;
        let mut statement = Statement::new(dialect);
        let by_code_points = dialect.by_code_points();
        let key = key(order);
        let collated = if order.textual { format!("{key}{by_code_points}") } else { key.clone() };
        let account = if kept.has_account.is_some() { ", r.has_account" } else { "" };
        if let Some(place) = &order.after {
            let columns = format!("r.id{by_code_points} AS id{account}");
            let all = Self::customers(dialect, &CustomerFilter::default());
            let most = Window { offset: 0, limit: Some(WALK.min(likely.saturating_mul(4))) };
            statement = behind(&all.source, "r.id", &columns, order, place, most);
            statement.text.insert_str(0, "SELECT r.id FROM (");
            statement.push(") r");
        } else {
            statement.push("SELECT r.id FROM (SELECT r.id").push(by_code_points).push(" AS id, ");
            statement.push(&collated).push(" AS stheno_key").push(account);
            statement.push(" FROM customer r WHERE r.deleted_at IS NULL");
            statement.push_order(&key, "r.id", order, from_the_end);
            let _ = write!(statement.text, " LIMIT {WALK}) r");
        }
        // One by one, as nothing else keeps the order.
        statement.push(" WHERE (SELECT 1 FROM customer_group_customers m WHERE m.customer_group_id = ");
        statement.bind(Parameter::Text(group)).push(" AND m.customer_id = r.id) = 1");
        if let Some(has_account) = kept.has_account {
            statement.and_compare("r.has_account", "=", Parameter::Boolean(has_account));
        }
        // SQLite would sort what comes in this order already.
        if let Dialect::Postgres(_) = dialect {
            let direction = |descending: bool| if descending { " DESC" } else { "" };
            statement.push(" ORDER BY r.stheno_key").push(direction(order.descending != from_the_end));
            statement.push(", r.id").push(direction(from_the_end));
        }
        statement.push_window(Window { offset, limit: Some(shown) });
        Some(Walk { statement, shown, from_the_end })
    }

    /// The customers with these ids.
    pub(crate) fn page_of_ids(
        &self,
        catalog: &Catalog,
        selection: &Selection,
        order: &Order,
        ids: &[String],
    ) -> Statement {
        let mut statement = Statement::new(self.source.dialect);
        let columns = columns(statement.dialect, catalog, "r", selection);
        statement.push("SELECT ").push(&columns).push(" FROM customer r WHERE TRUE").and_one_of("r.id", ids);
        statement.push_order(&key(order), "r.id", order, false);
        statement
    }

    /// The rows of a window of a list that has so many; none, if it shows nothing. What is near the end is read from there.
    pub(crate) fn page_of(
        &self,
        count: u64,
        catalog: &Catalog,
        selection: &Selection,
        order: &Order,
        window: Window,
    ) -> Option<Statement> {
        self.rows_of(count, &self.columns(catalog, selection, order), order, window)
    }

    fn rows_of(&self, count: u64, columns: &str, order: &Order, window: Window) -> Option<Statement> {
        let shown = count.saturating_sub(window.offset).min(window.limit.unwrap_or(u64::MAX));
        if shown == 0 {
            return None;
        }
        let behind = count - window.offset - shown;
        if window.offset <= behind.max(DEEP) || shown > SHORT || order.after.is_some() {
            return Some(self.rows(columns, order, window));
        }
        let mut statement = self.source.clone();
        let (key, id) = (key(order), self.id);
        let inner = format!("SELECT * FROM (SELECT {columns}, {key} AS stheno_key, {id} AS stheno_id");
        statement.text.insert_str(0, &inner);
        statement.push_order(&key, id, order, true);
        statement.push_window(Window { offset: behind, limit: Some(shown) });
        statement.push(") p");
        statement.push_order("p.stheno_key", "p.stheno_id", order, false);
        Some(statement)
    }
}

/// What rows are ordered by.
fn key(order: &Order) -> String {
    format!("r.{}", quoted(&order.column))
}

/// That, as a cursor holds it: in PostgreSQL as text, whatever it is.
fn told_key(dialect: Dialect, order: &Order) -> String {
    match dialect {
        Dialect::Sqlite => key(order),
        Dialect::Postgres(_) => format!("{}::text AS stheno_end", key(order)),
    }
}

/// The rows of a list behind a place: those that have the same key, and those whose key comes later, each found by an index
/// however many there are, and as few as are shown.
fn behind(
    source: &Statement,
    id: &str,
    columns: &str,
    order: &Order,
    Bookmark(value, last_id): &Bookmark,
    window: Window,
) -> Statement {
    let dialect = source.dialect;
    let Order { column, textual, nullable, descending, declared, .. } = order;
    let by_code_points = dialect.by_code_points();
    let key = key(order);
    let collated = if *textual { format!("{key}{by_code_points}") } else { key.clone() };
    let mut statement = source.clone();
    let source = std::mem::take(&mut statement.text);
    let later = if *descending { "<" } else { ">" };
    let last_id = statement.parameter(Parameter::Text(last_id.clone()));
    let value = match value {
        Key::Missing => None,
        Key::Text(text) => Some(Parameter::Text(text.clone())),
        Key::Integer(number) => Some(Parameter::Integer(*number)),
        Key::Real(bits) => Some(Parameter::Real(f64::from_bits(*bits))),
    };
    let by_id = column == "id";
    let value = value.filter(|_| !by_id).map(|value| match dialect {
        Dialect::Sqlite => statement.parameter(value),
        Dialect::Postgres(_) => format!("{}::text::{declared}", statement.parameter(value)),
    });
    let behind_id = |later| format!("{id}{by_code_points} {later} {last_id}");
    // Few rows have the same: PostgreSQL would rather go through all ids than sort these.
    let is_unique = ["email", "name"].contains(&&**column);
    let parts = match value {
        _ if by_id => vec![behind_id(later)],
        Some(value) => {
            let mut parts = vec![
                match dialect {
                    // An equation would have PostgreSQL go through all ids.
                    Dialect::Postgres(_) if column == "has_account" => format!(
                        "{key} >= {value} AND {key} <= {value} AND ({key}, {id}{by_code_points}) > ({value}, {last_id})"
                    ),
                    _ => format!("{collated} = {value} AND {}", behind_id(">")),
                },
                format!("{collated} {later} {value}"),
            ];
            parts.extend((*nullable && !*descending).then(|| format!("{key} IS NULL")));
            parts
        }
        None => {
            let mut parts = vec![format!("{key} IS NULL AND {}", behind_id(">"))];
            parts.extend(descending.then(|| format!("{key} IS NOT NULL")));
            parts
        }
    };
    let enough = Window { offset: 0, limit: window.limit.map(|limit| window.offset.saturating_add(limit)) };
    for (index, part) in parts.iter().enumerate() {
        statement.push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL " });
        statement.push("SELECT * FROM (SELECT ").push(columns).push(", ").push(&collated);
        statement.push(" AS stheno_key, ");
        statement.push(id).push(" AS stheno_id").push(&source).push(" AND ").push(part);
        if index > 0 || !is_unique {
            statement.push_order(&key, id, order, false);
            statement.push_window(enough);
        }
        let _ = write!(statement.text, ") p{index}");
    }
    statement.push(") p");
    statement.push_order("p.stheno_key", "p.stheno_id", order, false);
    statement.push_window(window);
    statement
}

/// The rows that a relation leads to, by their ids; only those among `only`, where that is given: groups of which the rows
/// that the relation starts from have at least one.
///
/// In SQLite from one row, whose id takes the place of the first parameter. In PostgreSQL from many, whose ids do: the
/// rows of each come in the order of these, with the number of their parent, from 1, as their first column.
pub(crate) fn related(
    dialect: Dialect,
    catalog: &Catalog,
    relation: Relation,
    selection: &Selection,
    only: Option<&[String]>,
) -> Statement {
    let mut statement = Statement::new(dialect);
    match dialect {
        Dialect::Sqlite => statement.parameters.push(Parameter::Text(String::new())),
        Dialect::Postgres(_) => {
            statement.push("SELECT p.number, c.* FROM unnest(").bind(Parameter::Texts(Vec::new()));
            statement.push("::text[]) WITH ORDINALITY p (id, number) CROSS JOIN LATERAL (");
        }
    }
    if let (Relation::Groups, Some([group]), Dialect::Postgres(_)) = (relation, only, dialect) {
        // Customers are listed by their groups, so all of these are members of the only one that is asked for.
        statement.push("SELECT ").push(&columns(dialect, catalog, "r", selection));
        statement.push(" FROM customer_group r WHERE r.id = ").bind(Parameter::Text(group.clone()));
        statement.push(" AND r.deleted_at IS NULL) c");
        return statement;
    }
    statement.push_related(catalog, relation, selection, only);
    if let Dialect::Postgres(_) = dialect {
        // What has an order of its own is run once for each parent, in the order of these.
        statement.push(") c");
    }
    statement
}

/// Of PostgreSQL: one row by its id, and after it the rows that a relation leads to, up to a limit, in the columns behind: what
/// belongs to the others is null.
pub(crate) fn retrieve_with(
    dialect: Dialect,
    catalog: &Catalog,
    selection: &Selection,
    (relation, related): &(Relation, Selection),
    id: &str,
    limit: usize,
) -> Statement {
    let mut statement = Statement::new(dialect);
    let id = statement.parameter(Parameter::Text(id.to_owned()));
    let table = quoted(selection.table.name());
    let place = format!(" WHERE p.id = {id} AND p.deleted_at IS NULL");
    let nulls = |selection: &Selection| vec!["NULL"; selection.width(catalog)].join(", ");
    statement
        .push("SELECT ")
        .push(&columns(dialect, catalog, "p", selection))
        .push(", ")
        .push(&nulls(related));
    statement.push(" FROM ").push(&table).push(" p").push(&place).push(" UNION ALL SELECT ");
    statement.push(&nulls(selection)).push(", c.* FROM ").push(&table).push(" p CROSS JOIN LATERAL (");
    statement.push_related(catalog, *relation, related, None);
    let _ = write!(statement.text, " LIMIT {limit}) c");
    statement.push(&place);
    statement
}

/// How many customer groups, customers and memberships there are.
pub(crate) fn totals(dialect: Dialect) -> String {
    let kept = |kind: &str| {
        format!("(SELECT coalesce(sum(k.amount), 0) FROM stheno_count k WHERE k.kind = '{kind}')")
    };
    let rows = |from: &str| format!("(SELECT count(*) FROM {from})");
    let one = |kind: &str, from: &str| match dialect {
        Dialect::Sqlite => kept(kind),
        Dialect::Postgres(Traits { counts: false, .. }) => rows(from),
        Dialect::Postgres(_) => format!(
            "(CASE WHEN EXISTS (SELECT 1 FROM stheno_count d WHERE d.kind = 'doubt') THEN {} ELSE {} END)::bigint",
            rows(from),
            kept(kind)
        ),
    };
    format!(
        "SELECT {}, {}, {}",
        one("groups", "customer_group r WHERE r.deleted_at IS NULL"),
        one("customers", "customer r WHERE r.deleted_at IS NULL"),
        one(
            "members",
            "customer_group_customers m JOIN customer r ON r.id = m.customer_id WHERE r.deleted_at IS NULL"
        )
    )
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// Every letter that is not its own small one, found by that by the index, unless it is not asked.
    #[test]
    fn trigrams_find_every_letter_that_they_are_asked_for() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE VIRTUAL TABLE f USING fts5 (text, tokenize = 'trigram'); BEGIN")
            .unwrap();
        let letters: Vec<char> =
            ('\0'..=char::MAX).filter(|&letter| fold(&letter.to_string()) != letter.to_string()).collect();
        assert!(letters.len() > 1000);
        for &letter in &letters {
            let insert = "INSERT INTO f (rowid, text) VALUES (?1, replace(?2, 'İ', 'i'))";
            connection.execute(insert, (u32::from(letter), format!("xx{letter}yy"))).unwrap();
        }
        for letter in letters {
            let term = fold(&format!("xx{letter}yy"));
            if is_found_by_trigrams(&term) {
                let sql = "SELECT count(*) FROM f WHERE f MATCH ?1 AND rowid = ?2";
                let found: i64 = connection
                    .query_row(sql, (format!("\"{term}\""), u32::from(letter)), |row| row.get(0))
                    .unwrap();
                assert_eq!(found, 1, "{letter} U+{:04X}", u32::from(letter));
            }
        }
        assert!(!is_found_by_trigrams("ab") && is_found_by_trigrams("äöü"));
    }
}
