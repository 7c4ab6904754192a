//! Rows to JSON, straight from the binary form in which PostgreSQL sends them.

use deadpool_postgres::Transaction;
use futures::FutureExt as _;
use futures::future::{BoxFuture, try_join_all};
use jiff::Timestamp;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Portal, Row};

use super::catalogs::Outdated;
use super::fault;
use crate::StoreError;
use crate::answer::Output;
use crate::entity::{Catalog, ColumnKind, Relation};
use crate::json::{write_constants, write_integer, write_jsonb, write_name, write_text};
use crate::selection::{CUSTOMER_COUNT, Selection};
use crate::sql::{self, Dialect, Parameter, Statement};
use crate::time;

/// How many rows are read at once where there may be any number.
const PIECE: i32 = 256;

/// The microseconds from 1970, where [`Timestamp`] begins to count, to 2000, where PostgreSQL does.
const EPOCH: i64 = 946_684_800_000_000;

type Fault = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Parameter {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Self::Text(text) => holdable(text).to_sql(kind, out),
            Self::Texts(texts) => {
                texts.iter().map(|text| holdable(text)).collect::<Vec<_>>().to_sql(kind, out)
            }
            Self::Boolean(value) => value.to_sql(kind, out),
            Self::Integer(value) => value.to_sql(kind, out),
            Self::Real(value) => value.to_sql(kind, out),
            Self::Time(time) => Time(*time).to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// PostgreSQL holds no text with NUL: a comparison with one finds nothing, as one with null does.
fn holdable(text: &str) -> Option<&str> {
    (!text.contains('\0')).then_some(text)
}

/// A `timestamp with time zone`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time(pub(super) Timestamp);

impl Time {
    /// The first time that PostgreSQL knows, in the year 4714 before Christ.
    const FIRST: i64 = -211_813_488_000_000_000;
}

impl ToSql for Time {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        let microseconds = self.0.as_microsecond() - EPOCH;
        // The least of all numbers stands for minus infinity.
        let stored = if microseconds < Self::FIRST { i64::MIN } else { microseconds };
        out.extend_from_slice(&stored.to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Time {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        let microseconds = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(Timestamp::from_microsecond(microseconds.saturating_add(EPOCH))?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}

/// A value as it was sent.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A parameter, as a connection takes it.
pub(super) type Sent<'a> = &'a (dyn ToSql + Sync);

/// The parameters of a statement.
pub(super) fn parameters(statement: &Statement) -> Vec<Sent<'_>> {
    statement.parameters.iter().map(|parameter| parameter as _).collect()
}

/// The number that is a row's only column.
pub(super) fn count_in(row: &Row) -> Result<u64, StoreError> {
    row.try_get(0).map(i64::unsigned_abs).map_err(fault)
}

/// A row that was read with its id and the selection's columns, as JSON without relations.
pub(super) fn object(catalog: &Catalog, selection: &Selection, row: &Row) -> Result<Vec<u8>, StoreError> {
    objects(catalog, selection, 0, &[], std::slice::from_ref(row))
}

/// A row as JSON, whose only relation, a list, is read with it, as [`sql::retrieve_with`] does.
pub(super) fn object_with(
    catalog: &Catalog,
    selection: &Selection,
    (relation, related): &(Relation, Selection),
    rows: &[Row],
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some((first, rows)) = rows.split_first() else { return Ok(None) };
    if first.try_get::<_, Option<&str>>(0).map_err(fault)?.is_none() {
        // It comes first, unless PostgreSQL should read the parts of the statement in parallel.
        return Ok(None);
    }
    let mut text = object(catalog, selection, first)?;
    text.pop();
    write_name(&mut text, relation.name());
    text.push(b'[');
    text.extend(objects(catalog, related, selection.width(catalog), &[], rows)?);
    text.extend_from_slice(b"]}");
    Ok(Some(text))
}

/// Members of one group as JSON with commas between: the relation `groups` of each is that group, whose id and columns come
/// behind theirs.
pub(super) fn members(
    catalog: &Catalog,
    selection: &Selection,
    group: &Selection,
    rows: &[Row],
) -> Result<Vec<u8>, StoreError> {
    let mut relation = Vec::new();
    if let Some(first) = rows.first() {
        write_name(&mut relation, Relation::Groups.name());
        relation.push(b'[');
        relation.extend(objects(catalog, group, selection.width(catalog), &[], std::slice::from_ref(first))?);
        relation.push(b']');
    }
    objects(catalog, selection, 0, &relation, rows)
}

/// Rows that were read with their ids at `at` and the selection's columns, as JSON with commas between, and with this text at
/// the end of each.
pub(super) fn objects(
    catalog: &Catalog,
    selection: &Selection,
    at: usize,
    end: &[u8],
    rows: &[Row],
) -> Result<Vec<u8>, StoreError> {
    if let Some(first) = rows.first() {
        demand_types(catalog, selection, first, at)?;
    }
    let mut text = Vec::with_capacity(rows.len() * (end.len() + 512));
    for (index, row) in rows.iter().enumerate() {
        text.extend_from_slice(if index == 0 { b"{" } else { b",{" });
        write_columns(catalog, selection, row, at, &mut text)?;
        text.extend_from_slice(end);
        text.push(b'}');
    }
    Ok(text)
}

/// Refuses rows, with their ids at `at`, whose values are in other types than those that the columns had when the catalog was
/// read.
fn demand_types(catalog: &Catalog, selection: &Selection, row: &Row, at: usize) -> Result<(), StoreError> {
    let columns = catalog.columns(selection.table);
    let first = at + selection.lead(catalog);
    for (position, read) in selection.columns.iter().zip(&row.columns()[first..]) {
        let kind = read.type_();
        let is_same = match columns[*position].kind {
            ColumnKind::Text => [Type::VARCHAR, Type::TEXT, Type::BPCHAR].contains(kind),
            ColumnKind::Boolean => *kind == Type::BOOL,
            ColumnKind::Time => [Type::TIMESTAMPTZ, Type::TIMESTAMP].contains(kind),
            ColumnKind::Json | ColumnKind::Plain => *kind == Type::JSONB,
            ColumnKind::Secret => true,
        };
        if !is_same {
            return Err(Outdated(read.name().to_owned()).into());
        }
    }
    Ok(())
}

/// Writes the columns of a row that was read with its id at `at`, and the selection's columns there or behind it.
fn write_columns(
    catalog: &Catalog,
    selection: &Selection,
    row: &Row,
    at: usize,
    text: &mut Vec<u8>,
) -> Result<(), StoreError> {
    write_constants(text, selection.table);
    let columns = catalog.columns(selection.table);
    let first = at + selection.lead(catalog);
    for (index, position) in selection.columns.iter().enumerate() {
        let column = &columns[*position];
        write_name(text, &column.name);
        let Raw(value) = row.try_get(first + index).map_err(fault)?;
        match value {
            Some(value) => write_value(text, column.kind, value)?,
            None => text.extend_from_slice(b"null"),
        }
    }
    if selection.customer_count {
        let count: i64 = row.try_get(first + selection.columns.len()).map_err(fault)?;
        write_name(text, CUSTOMER_COUNT);
        write_integer(text, count);
    }
    Ok(())
}

fn write_value(text: &mut Vec<u8>, kind: ColumnKind, value: &[u8]) -> Result<(), StoreError> {
    match kind {
        ColumnKind::Text => write_text(text, std::str::from_utf8(value).map_err(StoreError::internal)?),
        ColumnKind::Boolean => {
            let value: &[u8] = if value == [0] { b"false" } else { b"true" };
            text.extend_from_slice(value);
        }
        ColumnKind::Time => {
            let microseconds = i64::from_be_bytes(value.try_into().map_err(StoreError::internal)?);
            match microseconds {
                // Infinity, which JSON does not know.
                i64::MIN | i64::MAX => text.extend_from_slice(b"null"),
                _ => time::write_microseconds(text, microseconds.saturating_add(EPOCH)),
            }
        }
        // A version comes before the text of a `jsonb`.
        ColumnKind::Json | ColumnKind::Plain => match value {
            [1, json @ ..] => write_jsonb(text, json),
            _ => return Err(StoreError::internal("the database sent JSON of an unknown version")),
        },
        ColumnKind::Secret => return Err(StoreError::internal("a secret was read")),
    }
    Ok(())
}

/// Writes the rows of a selection as JSON objects.
pub(super) struct RowWriter<'a> {
    catalog: &'a Catalog,
    selection: &'a Selection,
    relations: Vec<RelationWriter<'a>>,
}

/// Writes the rows that a relation leads to.
struct RelationWriter<'a> {
    relation: Relation,
    /// Its first parameter are the ids of the rows that the relation starts from. None, where the database does not have
    /// the table, and so no rows of it either.
    statement: Option<Statement>,
    rows: RowWriter<'a>,
}

impl<'a> RowWriter<'a> {
    /// `only_groups` are the only ones that the relation `groups` of the rows holds, if not all.
    pub(super) fn new(
        dialect: Dialect,
        catalog: &'a Catalog,
        selection: &'a Selection,
        only_groups: Option<&[String]>,
    ) -> Self {
        let relations = selection.relations.iter().map(|(relation, selection)| {
            let only = only_groups.filter(|_| *relation == Relation::Groups);
            let is_there = !catalog.columns(selection.table).is_empty();
            RelationWriter {
                relation: *relation,
                statement: is_there.then(|| sql::related(dialect, catalog, *relation, selection, only)),
                rows: Self::new(dialect, catalog, selection, None),
            }
        });
        Self { catalog, selection, relations: relations.collect() }
    }

    /// Writes rows that have no relations, with commas between, handing on what is enough.
    pub(super) async fn write_plain<H: Send>(
        &self,
        rows: &[Row],
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        if let Some(row) = rows.first() {
            demand_types(self.catalog, self.selection, row, 0)?;
        }
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                output.text.push(b',');
            }
            self.write(row, 0, &mut [], 0, output).await?;
        }
        Ok(())
    }

    /// Writes all rows of a portal with their relations, with commas between, handing on what is enough.
    pub(super) async fn write_all<H: Send>(
        &self,
        transaction: &Transaction<'_>,
        portal: &Portal,
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        let mut is_first = true;
        loop {
            let rows = transaction.query_portal(portal, PIECE).await.map_err(fault)?;
            if !std::mem::take(&mut is_first) && !rows.is_empty() {
                output.text.push(b',');
            }
            self.write_page(transaction, &rows, output).await?;
            if is_last(&rows) {
                return Ok(());
            }
        }
    }

    /// Writes a row with its relations, which are asked for together with it: its id is known.
    pub(super) async fn write_one<H: Send>(
        &self,
        transaction: &Transaction<'_>,
        id: &str,
        statement: &Statement,
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        let prepared = transaction.prepare_cached(&statement.text).await.map_err(fault)?;
        let parameters = parameters(statement);
        let (row, cursors) = futures::join!(
            transaction.query_opt(&prepared, &parameters),
            self.follow_ids(transaction, vec![id.to_owned()])
        );
        let Some(row) = row.map_err(fault)? else { return Ok(()) };
        demand_types(self.catalog, self.selection, &row, 0)?;
        self.write(&row, 0, &mut cursors?, 1, output).await
    }

    /// Writes rows that have been read with their relations, with commas between, handing on what is enough.
    pub(super) async fn write_page<H: Send>(
        &self,
        transaction: &Transaction<'_>,
        rows: &[Row],
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        if let Some(row) = rows.first() {
            demand_types(self.catalog, self.selection, row, 0)?;
        }
        let mut cursors = self.follow(transaction, rows, 0).await?;
        for (number, row) in (1..).zip(rows) {
            if number > 1 {
                output.text.push(b',');
            }
            self.write(row, 0, &mut cursors, number, output).await?;
        }
        Ok(())
    }

    /// Writes a row with its id at `at`, and from each cursor what belongs to the row with this number.
    async fn write<H: Send>(
        &self,
        row: &Row,
        at: usize,
        cursors: &mut [Cursor<'_>],
        number: i64,
        output: &mut Output<H>,
    ) -> Result<(), StoreError> {
        output.text.push(b'{');
        write_columns(self.catalog, self.selection, row, at, &mut output.text)?;
        for cursor in cursors {
            write_name(&mut output.text, cursor.relation.relation.name());
            cursor.write(number, output).await?;
        }
        output.text.push(b'}');
        output.flush_if_large().await
    }

    /// Opens a cursor for each relation, over all these rows, whose ids are at `at`.
    async fn follow<'t>(
        &'t self,
        transaction: &'t Transaction<'t>,
        rows: &[Row],
        at: usize,
    ) -> Result<Vec<Cursor<'t>>, StoreError> {
        if self.relations.is_empty() || rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids = rows.iter().map(|row| row.try_get(at)).collect::<Result<_, _>>().map_err(fault)?;
        self.follow_ids(transaction, ids).await
    }

    /// Opens a cursor for each relation, over the rows with these ids.
    async fn follow_ids<'t>(
        &'t self,
        transaction: &'t Transaction<'t>,
        ids: Vec<String>,
    ) -> Result<Vec<Cursor<'t>>, StoreError> {
        let open = self.relations.iter().map(|relation| Cursor::open(transaction, relation, ids.clone()));
        try_join_all(open).await
    }
}

/// The rows that a relation leads to from many rows, read in pieces, and what their own relations lead to.
struct Cursor<'t> {
    transaction: &'t Transaction<'t>,
    relation: &'t RelationWriter<'t>,
    /// None, once all has been read.
    portal: Option<Portal>,
    rows: Vec<Row>,
    next: usize,
    below: Vec<Cursor<'t>>,
}

impl<'t> Cursor<'t> {
    async fn open(
        transaction: &'t Transaction<'t>,
        relation: &'t RelationWriter<'t>,
        ids: Vec<String>,
    ) -> Result<Self, StoreError> {
        let portal = match &relation.statement {
            Some(statement) => {
                let mut statement = statement.clone();
                statement.parameters[0] = Parameter::Texts(ids);
                Some(bind(transaction, &statement).await?)
            }
            None => None,
        };
        let mut cursor = Self { transaction, relation, portal, rows: Vec::new(), next: 0, below: Vec::new() };
        cursor.read_on().await?;
        Ok(cursor)
    }

    /// Reads the next piece, and opens what its rows lead to in turn.
    fn read_on(&mut self) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            self.next = 0;
            self.rows = match &self.portal {
                Some(portal) => self.transaction.query_portal(portal, PIECE).await.map_err(fault)?,
                None => Vec::new(),
            };
            if let Some(row) = self.rows.first() {
                let RowWriter { catalog, selection, .. } = &self.relation.rows;
                demand_types(catalog, selection, row, 1)?;
            }
            if is_last(&self.rows) {
                self.portal = None;
            }
            self.below = self.relation.rows.follow(self.transaction, &self.rows, 1).await?;
            Ok(())
        }
        .boxed()
    }

    /// Writes what belongs to the row with this number: a list, or a row or null.
    fn write<'a, H: Send>(
        &'a mut self,
        number: i64,
        output: &'a mut Output<H>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let RelationWriter { relation, rows, .. } = self.relation;
            let (open, close, nothing) = if relation.is_list() { ("[", "]", "") } else { ("", "", "null") };
            output.text.extend_from_slice(open.as_bytes());
            let mut found = false;
            loop {
                if self.next == self.rows.len() && self.portal.is_some() {
                    self.read_on().await?;
                }
                let Some(row) = self.rows.get(self.next) else { break };
                let parent: i64 = row.try_get(0).map_err(fault)?;
                if parent > number {
                    break;
                }
                if parent < number {
                    return Err(StoreError::internal("the rows of a relation came out of order"));
                }
                if std::mem::replace(&mut found, true) {
                    output.text.push(b',');
                }
                self.next += 1;
                let place = i64::try_from(self.next).map_err(StoreError::internal)?;
                rows.write(row, 1, &mut self.below, place, output).await?;
            }
            if !found {
                output.text.extend_from_slice(nothing.as_bytes());
            }
            output.text.extend_from_slice(close.as_bytes());
            Ok(())
        }
        .boxed()
    }
}

/// Begins to read a statement's rows.
pub(super) async fn bind(transaction: &Transaction<'_>, statement: &Statement) -> Result<Portal, StoreError> {
    let prepared = transaction.prepare_cached(&statement.text).await.map_err(fault)?;
    transaction.bind(&prepared, &parameters(statement)).await.map_err(fault)
}

/// Whether no rows come behind these.
fn is_last(rows: &[Row]) -> bool {
    i32::try_from(rows.len()).is_ok_and(|length| length < PIECE)
}
