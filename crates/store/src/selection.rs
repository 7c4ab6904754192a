//! What of a row is answered: which columns, and which relations.

use crate::cursor::Bookmark;
use crate::entity::{Catalog, Relation, Table};
use crate::sql::is_textual;

/// How many relations deep a selection may go (and [`UnknownName::TooDeep`] says so).
const MAX_DEPTH: usize = 2;

/// What is computed for a group, beside its columns.
pub(crate) const CUSTOMER_COUNT: &str = "customer_count";

/// The columns and relations of a row that an answer shows.
///
/// The `id` is always shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The generation of the catalog that the positions are in.
    generation: usize,
    pub(crate) table: Table,
    /// Positions in the catalog's columns of the table, ascending.
    pub(crate) columns: Vec<usize>,
    /// Whether a group is shown with the number of its members.
    pub(crate) customer_count: bool,
    pub(crate) relations: Vec<(Relation, Self)>,
}

/// A name that a selection or an order cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownName {
    /// No such column.
    #[error("{name} is not a column of {}", table.name())]
    Column {
        /// The name as it was given.
        name: String,
        /// Where it was looked for.
        table: Table,
    },
    /// No such relation.
    #[error("{name} is not a relation of {}", table.name())]
    Relation {
        /// The name as it was given.
        name: String,
        /// Where it was looked for.
        table: Table,
    },
    /// The relation is more than two steps away.
    #[error("{path} goes more than two relations deep")]
    TooDeep {
        /// The path as it was given.
        path: String,
    },
}

impl Selection {
    /// Every column of `table` and no relation.
    pub fn all(catalog: &Catalog, table: Table) -> Self {
        let columns = catalog.public_columns(table).map(|(position, _)| position).collect();
        Self {
            generation: catalog.generation(),
            table,
            columns,
            customer_count: false,
            relations: Vec::new(),
        }
    }

    /// The id of a row of `table` and nothing else.
    pub fn id(catalog: &Catalog, table: Table) -> Self {
        let generation = catalog.generation();
        let mut selection =
            Self { generation, table, columns: Vec::new(), customer_count: false, relations: Vec::new() };
        selection.insert_column(catalog, "id");
        selection
    }

    /// Behind which of the values that are read of a row its columns begin: the first is always its id, which may be a column.
    pub(crate) fn lead(&self, catalog: &Catalog) -> usize {
        let columns = catalog.columns(self.table);
        let first = self.columns.first().and_then(|position| columns.get(*position));
        usize::from(first.is_none_or(|column| column.name != "id"))
    }

    /// How many values are read of a row: its id, its columns, and what is computed.
    pub(crate) fn width(&self, catalog: &Catalog) -> usize {
        self.lead(catalog) + self.columns.len() + usize::from(self.customer_count)
    }

    /// Adds a column by its name, or by a path through relations: `name`, `customers.email`. A group also has
    /// `customer_count`, the number of its members that are not deleted, which is shown where it is named alone.
    ///
    /// # Errors
    /// If there is no such column or relation, or the path is too long. Nothing is added then.
    pub fn add_column(&mut self, catalog: &Catalog, path: &str) -> Result<(), UnknownName> {
        let (relations, name) = match path.rsplit_once('.') {
            Some((relations, name)) => (self.relations_on(relations)?, name),
            None => (Vec::new(), path),
        };
        let table = relations.last().map_or(self.table, |relation| relation.target());
        let is_column = catalog.public_columns(table).any(|(_, column)| column.name == name);
        // A column that a shop has added goes before.
        if !is_column && table == Table::CustomerGroup && name == CUSTOMER_COUNT {
            self.descend(catalog, &relations, Self::id).customer_count = true;
            return Ok(());
        }
        if !is_column {
            return Err(UnknownName::Column { name: path.to_owned(), table });
        }
        self.descend(catalog, &relations, Self::id).insert_column(catalog, name);
        Ok(())
    }

    /// Adds a relation with all columns of its rows: `customers`, `customers.groups`.
    ///
    /// # Errors
    /// If there is no such relation, or the path is too long. Nothing is added then.
    pub fn add_relation(&mut self, catalog: &Catalog, path: &str) -> Result<(), UnknownName> {
        let relations = self.relations_on(path)?;
        let selection = self.descend(catalog, &relations, Self::all);
        selection.columns = Self::all(catalog, selection.table).columns;
        Ok(())
    }

    /// Whether `name` is a relation of the rows.
    pub fn is_relation(&self, name: &str) -> bool {
        self.table.relations().iter().any(|relation| relation.name() == name)
    }

    /// The generation of the catalog that it was made with.
    pub(crate) fn generation(&self) -> usize {
        self.generation
    }

    /// The same selection, made with `old`, in a newer catalog: columns that are gone are not shown, and where all were
    /// shown, so are those that have come.
    pub(crate) fn renewed(&self, old: &Catalog, new: &Catalog) -> Self {
        let all = Self::all(new, self.table);
        let was_all = self.columns == Self::all(old, self.table).columns;
        let columns = old.columns(self.table);
        let is_shown = |name: &str| self.columns.iter().any(|position| columns[*position].name == name);
        let shown = |position: &usize| was_all || is_shown(&new.columns(self.table)[*position].name);
        Self {
            customer_count: self.customer_count,
            columns: all.columns.iter().copied().filter(shown).collect(),
            relations: self
                .relations
                .iter()
                .map(|(relation, selection)| (*relation, selection.renewed(old, new)))
                .collect(),
            ..all
        }
    }

    /// Whether any relation is shown.
    pub(crate) fn has_relations(&self) -> bool {
        !self.relations.is_empty()
    }

    /// Adds a column if there is one of this name that may be shown.
    fn insert_column(&mut self, catalog: &Catalog, name: &str) {
        let found = catalog.public_columns(self.table).find(|(_, column)| column.name == name);
        if let Some((position, _)) = found
            && let Err(place) = self.columns.binary_search(&position)
        {
            self.columns.insert(place, position);
        }
    }

    /// The relations that a path names, one after the other.
    fn relations_on(&self, path: &str) -> Result<Vec<Relation>, UnknownName> {
        if path.split('.').count() > MAX_DEPTH {
            return Err(UnknownName::TooDeep { path: path.to_owned() });
        }
        let mut table = self.table;
        let step = |name: &str| {
            let relation = table.relations().iter().find(|relation| relation.name() == name);
            let relation = *relation.ok_or_else(|| UnknownName::Relation { name: path.to_owned(), table })?;
            table = relation.target();
            Ok(relation)
        };
        path.split('.').map(step).collect()
    }

    /// The selection at the end of these relations. Relations that are not there yet are made with `make`, but for
    /// those on the way, which show all their columns as Medusa's do.
    fn descend(
        &mut self,
        catalog: &Catalog,
        relations: &[Relation],
        make: fn(&Catalog, Table) -> Self,
    ) -> &mut Self {
        let mut selection = self;
        for (step, relation) in relations.iter().enumerate() {
            let present = selection.relations.iter().position(|(present, _)| present == relation);
            let index = present.unwrap_or_else(|| {
                let make = if step + 1 < relations.len() { Self::all } else { make };
                selection.relations.push((*relation, make(catalog, relation.target())));
                selection.relations.len() - 1
            });
            selection = &mut selection.relations[index].1;
        }
        selection
    }
}

/// The column that rows are ordered by, and the direction. Rows with equal values are ordered by id, ascending in
/// either direction, as Medusa does. Where a value is missing, PostgreSQL's place is kept on both engines: last when
/// ascending, first when descending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub(crate) column: String,
    /// Whether it holds texts, as PostgreSQL says.
    pub(crate) textual: bool,
    pub(crate) nullable: bool,
    pub(crate) descending: bool,
    /// The type of the column, as the database names it.
    pub(crate) declared: String,
    /// The row behind which the list begins.
    pub(crate) after: Option<Bookmark>,
}

impl Order {
    /// Ascending by a column of the listed table itself.
    ///
    /// # Errors
    /// If there is no such column, or it has no order.
    pub fn ascending(catalog: &Catalog, table: Table, column: &str) -> Result<Self, UnknownName> {
        Self::by(catalog, table, column, false)
    }

    /// Descending by a column of the listed table itself.
    ///
    /// # Errors
    /// If there is no such column, or it has no order.
    pub fn descending(catalog: &Catalog, table: Table, column: &str) -> Result<Self, UnknownName> {
        Self::by(catalog, table, column, true)
    }

    fn by(catalog: &Catalog, table: Table, name: &str, descending: bool) -> Result<Self, UnknownName> {
        match catalog.sortable_column(table, name) {
            Some(column) => Ok(Self {
                column: column.name.clone(),
                textual: is_textual(&column.declared),
                nullable: column.nullable,
                descending,
                declared: column.declared.clone(),
                after: None,
            }),
            None => Err(UnknownName::Column { name: name.to_owned(), table }),
        }
    }
}

/// Which part of a list is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many rows are left out at the beginning.
    pub offset: u64,
    /// How many rows are answered at the most; none means all.
    pub limit: Option<u64>,
}
