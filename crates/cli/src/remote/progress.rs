//! How far a long command has come, where somebody is watching.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error, which only a terminal shows.
pub(crate) fn bar(total: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {human_pos} of {human_len}, {eta} to go");
    let bar = ProgressBar::new(total as u64).with_message(what.to_owned());
    // The template is fixed; a bar in the usual style tells as much.
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
