//! Flags of lists, and the way of a list to standard output.

use std::io::{self, IsTerminal as _};

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use stheno_client::{Call, DateRange, Listing};

use super::connection::Shop;
use super::output::{Columns, Output};
use super::{count, note, progress, time};
use crate::exit::{Exit, failure};

/// How many rows to ask for at once, where all are wanted and each is small.
const PAGE_SIZE: u64 = 500;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Filters {
    /// Search, in any case: for groups in the name, for customers in e-mail address, first and last name
    #[arg(short, long, value_name = "TEXT")]
    q: Option<String>,

    /// Made at this time or later: 2026-01-31, 2026-01-31T08:00 (both UTC), or how long ago: 7d, 12h
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    created_since: Option<Timestamp>,

    /// Made later than this
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    created_after: Option<Timestamp>,

    /// Made at this time or earlier
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    created_until: Option<Timestamp>,

    /// Made earlier than this
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    created_before: Option<Timestamp>,

    /// Last changed at this time or later
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    updated_since: Option<Timestamp>,

    /// Last changed later than this
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    updated_after: Option<Timestamp>,

    /// Last changed at this time or earlier
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    updated_until: Option<Timestamp>,

    /// Last changed earlier than this
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    updated_before: Option<Timestamp>,

    #[arg(
        long = "query",
        value_name = "NAME=VALUE",
        value_parser = parameter,
        help = "Any other parameter of the query, as the API knows it: --query 'id[starts_with]=cgrp_01' (for Stheno, Medusa refuses it)"
    )]
    others: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pages")]
pub(crate) struct Window {
    /// How many rows at most; with --all, how many at a time. Without this, as many as the server sends
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// How many rows to leave out at the beginning
    #[arg(long, value_name = "NUMBER")]
    offset: Option<u64>,

    /// All rows, page after page; by id, unless --order says otherwise
    #[arg(long)]
    all: bool,
}

impl Filters {
    pub(crate) fn apply<O: Listing>(&self, mut call: Call<O>) -> Call<O> {
        if let Some(text) = &self.q {
            call = call.q(text);
        }
        call = call.created_at(range(
            self.created_since,
            self.created_after,
            self.created_until,
            self.created_before,
        ));
        call = call.updated_at(range(
            self.updated_since,
            self.updated_after,
            self.updated_until,
            self.updated_before,
        ));
        self.others.iter().fold(call, |call, (name, value)| call.query(name, value))
    }
}

fn range(
    since: Option<Timestamp>,
    after: Option<Timestamp>,
    until: Option<Timestamp>,
    before: Option<Timestamp>,
) -> DateRange {
    let mut range = DateRange::new();
    if let Some(time) = since {
        range = range.at_or_after(time);
    }
    if let Some(time) = after {
        range = range.after(time);
    }
    if let Some(time) = until {
        range = range.at_or_before(time);
    }
    if let Some(time) = before {
        range = range.before(time);
    }
    range
}

/// `NAME=VALUE`
fn parameter(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        None | Some(("", _)) => Err("give NAME=VALUE"),
        // Whoever turns pages must know of them.
        Some(("limit" | "offset", _)) => Err("give --limit or --offset"),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
    }
}

/// Writes a list: a page, or all of it.
pub(crate) async fn write<O>(
    shop: &Shop,
    call: Call<O>,
    window: &Window,
    output: Output,
    columns: Columns,
    what: &str,
) -> Result<()>
where
    O: Listing<Item: Serialize>,
{
    let mut rows = output.rows(columns.of_rows(output));
    let mut call = call;
    if let Some(offset) = window.offset {
        call = call.offset(offset);
    }
    if window.all {
        let mut pages = call.limit(window.limit.unwrap_or(PAGE_SIZE)).pages();
        let mut total = 0;
        let bar = (!io::stdout().is_terminal() || !output.is_streamed()).then(|| progress::bar(0, what));
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let explained = shop.explain(&error);
                if total == 0 || !output.is_streamed() {
                    return explained;
                }
                failure(Exit::PartlyDone, format!("the list ends after {}: {explained}", count(total, what)))
            })?;
            for item in &page {
                rows.add(item)?;
            }
            rows.flush()?;
            total += page.items.len();
            if let Some(bar) = &bar {
                bar.set_length(page.count);
                bar.inc(page.items.len() as u64);
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        rows.finish()?;
        return if total == 0 { note(&format!("no {what}s")) } else { Ok(()) };
    }
    if let Some(limit) = window.limit {
        call = call.limit(limit);
    }
    let page = call.await.map_err(|error| shop.explain(&error))?;
    for item in &page {
        rows.add(item)?;
    }
    rows.finish()?;
    match page.next_offset() {
        Some(next) => note(&format!(
            "{} of {}: go on with --offset {next}, or take them all with --all",
            page.items.len(),
            count(page.count as usize, what)
        )),
        None if page.count == 0 => note(&format!("no {what}s")),
        None if page.items.is_empty() => note(&format!("none of {}", count(page.count as usize, what))),
        None => Ok(()),
    }
}
