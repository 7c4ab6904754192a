//! `fields`, `expand` and `order`, as Medusa reads them, against the columns that this database has.

use stheno_store::{Catalog, Order, Selection, Table, UnknownName};

use crate::error::ApiError;

/// What of customer groups is shown. `fields` always brings the id, and in lists the time of creation.
///
/// A relation that `fields` names by a column shows that column and the id. Where `expand` is given, it alone says
/// which relations there are.
pub(crate) fn customer_groups(
    catalog: &Catalog,
    fields: Option<&str>,
    expand: Option<&str>,
    in_list: bool,
) -> Result<Selection, ApiError> {
    let table = Table::CustomerGroup;
    let Some(fields) = fields else {
        let mut selection = Selection::all(catalog, table);
        add_relations(catalog, &mut selection, expand.unwrap_or_default())?;
        return Ok(selection);
    };
    let named = Fields::read(fields);
    let mut selection = Selection::id(catalog, table);
    if in_list {
        selection.add_column(catalog, "created_at").map_err(|error| refuse("fields", &error))?;
    }
    let is_shown = |relation: &str| {
        expand.is_none_or(|expand| {
            expand.split(',').any(|path| path == relation || path.starts_with(&format!("{relation}.")))
        })
    };
    for column in &named.columns {
        match column.rsplit_once('.') {
            Some((relation, _)) if !is_shown(relation) => {
                Selection::id(catalog, table).add_column(catalog, column)
            }
            // The bare name of a relation says nothing.
            None if selection.is_relation(column) => Ok(()),
            _ => selection.add_column(catalog, column),
        }
        .map_err(|error| refuse("fields", &error))?;
    }
    for relation in named.relations {
        let scratch = &mut Selection::id(catalog, table);
        let target = if expand.is_none() { &mut selection } else { scratch };
        target.add_relation(catalog, relation).map_err(|error| refuse("fields", &error))?;
    }
    let named_by_column = |path: &str| {
        named
            .columns
            .iter()
            .any(|column| column.rsplit_once('.').is_some_and(|(relation, _)| relation == path))
    };
    for path in
        expand.unwrap_or_default().split(',').filter(|path| !path.is_empty() && !named_by_column(path))
    {
        selection.add_relation(catalog, path).map_err(|error| refuse("expand", &error))?;
    }
    Ok(selection)
}

/// What of customers is shown: every column, and the relations that `expand` names.
pub(crate) fn customers(catalog: &Catalog, expand: &str) -> Result<Selection, ApiError> {
    let mut selection = Selection::all(catalog, Table::Customer);
    add_relations(catalog, &mut selection, expand)?;
    Ok(selection)
}

fn add_relations(catalog: &Catalog, selection: &mut Selection, expand: &str) -> Result<(), ApiError> {
    for path in expand.split(',').filter(|path| !path.is_empty()) {
        selection.add_relation(catalog, path).map_err(|error| refuse("expand", &error))?;
    }
    Ok(())
}

/// The order that `order` names: a column, with a minus before it for descending.
pub(crate) fn order(catalog: &Catalog, table: Table, text: &str) -> Result<Order, ApiError> {
    match text.strip_prefix('-') {
        Some(column) => Order::descending(catalog, table, column),
        None => Order::ascending(catalog, table, text),
    }
    .map_err(|error| refuse("order", &error))
}

fn refuse(parameter: &str, error: &UnknownName) -> ApiError {
    ApiError::Invalid(format!("{parameter}: {error}"))
}

/// What `fields` names.
struct Fields<'a> {
    columns: Vec<&'a str>,
    relations: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// Names with a sign change what is shown by default, which is nothing: `+name` adds, `-name` takes away. As soon
    /// as one name has none, signs mean nothing. A star brings a relation whole.
    fn read(fields: &'a str) -> Self {
        let names = || fields.split(',').filter(|name| !name.is_empty());
        let signed = names().all(|name| name.starts_with(['-', '+', '*']));
        let mut columns: Vec<&str> = Vec::new();
        for name in names() {
            match name.strip_prefix('-') {
                Some(taken) if signed => columns.retain(|column| *column != taken),
                Some(bare) => columns.push(bare),
                None => columns.push(name.strip_prefix('+').unwrap_or(name)),
            }
        }
        let (relations, columns): (Vec<_>, Vec<_>) =
            columns.into_iter().partition(|name| name.starts_with('*'));
        // A star alone names no relation.
        let relations =
            relations.into_iter().map(|name| &name[1..]).filter(|name| !name.is_empty()).collect();
        Self { columns, relations }
    }
}
