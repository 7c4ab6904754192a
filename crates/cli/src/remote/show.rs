//! Records by id, one or many, on their way to standard output.

use anyhow::Result;
use futures::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::Value;
use stheno_client::{Call, Operation};

use super::connection::Shop;
use super::output::{Columns, Output};
use super::{count, named};
use crate::exit::{Exit, failure};

/// How many records are asked for at the same time.
const AT_ONCE: usize = 8;

/// A record, if there is one.
pub(crate) async fn fetch<O>(shop: &Shop, call: Call<O>) -> Result<Option<Value>>
where
    O: Operation<Answer: Serialize>,
{
    let found = call.optional().await.map_err(|error| shop.explain(&error))?;
    Ok(found.map(|record| serde_json::to_value(&*record)).transpose()?)
}

/// Writes records in the order of their ids: one as a record, several as rows. Those that are not there are an error,
/// after the others; some may be missing already.
pub(crate) async fn write<F>(
    ids: Vec<String>,
    mut missing: Vec<String>,
    as_record: bool,
    output: Output,
    columns: Columns,
    what: &str,
    fetch: impl Fn(String) -> F,
) -> Result<()>
where
    F: Future<Output = Result<Option<Value>>>,
{
    let total = ids.len() + missing.len();
    let fetch = &fetch;
    let mut found =
        stream::iter(ids).map(|id| async move { (fetch(id.clone()).await, id) }).buffered(AT_ONCE);
    if as_record {
        if let Some((record, id)) = found.next().await {
            match record? {
                Some(record) => output.record(columns.of_record(), &record)?,
                None => missing.push(id),
            }
        }
    } else {
        let mut rows = output.rows(columns.of_rows(output));
        while let Some((record, id)) = found.next().await {
            match record? {
                Some(record) => rows.add(&record)?,
                None => missing.push(id),
            }
        }
        rows.finish()?;
    }
    not_found(&missing, total, what)
}

/// An error, if some were not found.
pub(crate) fn not_found(missing: &[String], total: usize, what: &str) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let exit = if missing.len() == total { Exit::NotFound } else { Exit::PartlyDone };
    let message = if total == 1 {
        format!("there is no {what} {}: see `stheno {what}s list`", missing[0])
    } else {
        format!("{} of {} are not there: {}", missing.len(), count(total, what), named(missing))
    };
    Err(failure(exit, message))
}
