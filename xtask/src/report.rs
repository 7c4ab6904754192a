//! What ran: every step with its time and result, in a table at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::count::Count;

#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

struct Step {
    name: String,
    time: Duration,
    outcome: Outcome,
    tests: Option<Count>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Failed,
    /// For want of something that this machine does not reach.
    NotRun,
}

impl Outcome {
    fn of(succeeded: bool) -> Self {
        if succeeded { Self::Ok } else { Self::Failed }
    }
}

impl Report {
    /// Runs a step without which the next ones say nothing new; its error, said here, ends the run.
    pub(crate) fn check<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        let (result, time) = timed(name, step);
        self.steps.push(Step {
            name: name.to_owned(),
            time,
            outcome: Outcome::of(result.is_ok()),
            tests: None,
        });
        result
    }

    /// Runs a step after which, whatever comes of it, the run goes on.
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce() -> Result<Outcome>) {
        let (result, time) = timed(name, step);
        let outcome = result.unwrap_or(Outcome::Failed);
        self.steps.push(Step { name: name.to_owned(), time, outcome, tests: None });
    }

    /// Runs a step that says whether it succeeded, and how many tests it counted; whatever comes of it, the run goes on.
    pub(crate) fn tests(&mut self, name: &str, step: impl FnOnce() -> Result<(bool, Count)>) {
        let (result, time) = timed(name, step);
        let (succeeded, tests) = match result {
            Ok((succeeded, count)) => (succeeded, Some(count)),
            Err(_) => (false, None),
        };
        self.steps.push(Step { name: name.to_owned(), time, outcome: Outcome::of(succeeded), tests });
    }

    /// Prints the table and, where tests ran, their number as the last line; an error if a step failed.
    pub(crate) fn close(&self) -> Result<()> {
        let width = self.steps.iter().map(|step| step.name.len()).max().unwrap_or_default();
        println!("\nWhat ran");
        for Step { name, time, outcome, tests } in &self.steps {
            let result = match outcome {
                Outcome::Ok => "ok",
                Outcome::Failed => "FAILED",
                Outcome::NotRun => "NOT RUN",
            };
            let tests = tests.map(|count| count.to_string()).unwrap_or_default();
            let row = format!("  {name:width$}  {:>7.1} s  {result:7}  {tests}", time.as_secs_f64());
            println!("{}", row.trim_end());
        }
        let mut total = Count::default();
        for count in self.steps.iter().filter_map(|step| step.tests) {
            total += count;
        }
        if total != Count::default() {
            println!("\n{total}");
        }
        let failed = self.steps.iter().filter(|step| step.outcome == Outcome::Failed);
        let failed: Vec<&str> = failed.map(|step| step.name.as_str()).collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

fn timed<T>(name: &str, step: impl FnOnce() -> Result<T>) -> (Result<T>, Duration) {
    eprintln!("\n== {name}");
    let start = Instant::now();
    let result = step();
    if let Err(error) = &result {
        eprintln!("error: {error:#}");
    }
    (result, start.elapsed())
}
