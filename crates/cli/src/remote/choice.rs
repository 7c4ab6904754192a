//! Values of the API that have names, as values of flags.

use std::fmt::Display;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use stheno_client::Order;

/// One of these values, by its name.
pub(crate) fn one_of<T>(values: &'static [T]) -> impl TypedValueParser<Value = T>
where
    T: Display + Copy + Send + Sync,
{
    PossibleValuesParser::new(values.iter().map(|value| PossibleValue::new(value.to_string())))
        .try_map(|name| values.iter().copied().find(|value| value.to_string() == name).ok_or("no such value"))
}

/// One of these columns to sort by, by its name; with a `-` in front the other way.
pub(crate) fn order_by<T>(columns: &'static [T]) -> impl TypedValueParser<Value = Order<T>>
where
    T: Display + Copy + Send + Sync,
{
    let descending = columns.iter().map(|column| PossibleValue::new(format!("-{column}")).hide(true));
    let names = columns.iter().map(|column| PossibleValue::new(column.to_string())).chain(descending);
    PossibleValuesParser::new(names).try_map(move |name| {
        let orders = columns.iter().flat_map(|&column| [Order::ascending(column), Order::descending(column)]);
        orders.into_iter().find(|order| order.to_string() == name).ok_or("no such column")
    })
}
