//! What was measured, as a page that is read on paper, and as a chart.

use std::fmt::Write as _;
use std::time::Duration;

use crate::calls::Call;
use crate::load::Measured;
use crate::targets::{self, Target};

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many customers the shop has, whose calls are compared.
    pub(crate) customers: usize,
    pub(crate) connections: usize,
    pub(crate) seconds: f64,
    pub(crate) rounds: u32,
    /// The servers that are compared, and what each call measured.
    pub(crate) columns: Vec<Column>,
    /// What PostgreSQL itself does with the same statements, a second.
    pub(crate) limits: Vec<(Call, f64)>,
    /// How a call changes with the size of the shop: the engine, the call, and for each size its figures.
    pub(crate) growth: Vec<Growth>,
    /// What each server took to start, and of memory.
    pub(crate) resources: Vec<(String, Resources)>,
    /// What the largest group took, read whole.
    pub(crate) wholes: Vec<(String, Whole)>,
    /// What could not be measured, and why.
    pub(crate) failures: Vec<String>,
}

/// What a server took beyond time for its calls. Memory is resident, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resources {
    /// From its start to its first answer.
    pub(crate) started_in: Duration,
    pub(crate) idle: u64,
    /// At its highest, under the load.
    pub(crate) loaded: u64,
}

/// One answer with all members of the largest group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
    /// Resident at its highest, in a server that did nothing else.
    pub(crate) memory: u64,
}

/// A server, and what it measured.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) figures: Vec<Figures>,
}

#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) call: Call,
    pub(crate) closed: Measured,
    /// At half of the rate that the closed loop reached.
    pub(crate) open: Measured,
}

#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) engine: &'static str,
    pub(crate) call: Call,
    pub(crate) sizes: Vec<(usize, f64)>,
}

impl Growth {
    /// How many times as fast a call is in the smallest shop as in the largest.
    pub(crate) fn ratio(&self) -> f64 {
        let ends = self.sizes.first().zip(self.sizes.last());
        ends.map_or(1.0, |((_, first), (_, last))| first / last)
    }
}

/// How near a call comes to what could be at the best.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) call: Call,
    pub(crate) engine: &'static str,
    /// Requests a second.
    pub(crate) ours: f64,
    pub(crate) limit: f64,
    what: &'static str,
}

/// The names of the columns that are compared with each other.
pub(crate) const MEDUSA: &str = "Medusa";
pub(crate) const BESIDE: &str = "Stheno, same database";
pub(crate) const POSTGRES: &str = "Stheno, PostgreSQL";
pub(crate) const SQLITE: &str = "Stheno, SQLite";
pub(crate) const CONSTANT: &str = "the constant";

impl Column {
    pub(crate) fn rate(&self, call: Call) -> Option<f64> {
        Some(self.closed(call)?.per_second())
    }

    pub(crate) fn closed(&self, call: Call) -> Option<&Measured> {
        let figures = self.figures.iter().find(|figures| figures.call == call)?;
        Some(&figures.closed)
    }
}

impl Report {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The tables, in Markdown.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = String::new();
        let Self { customers, connections, seconds, rounds, .. } = self;
        let _ = writeln!(
            text,
            "{} customers, {} groups; {connections} connections; {rounds} rounds of {seconds} s; {}.\n",
            grouped(*customers),
            grouped(crate::shop::Shop::of(*customers).groups),
            machine()
        );
        self.write_targets(&mut text);
        self.write_rates(&mut text);
        self.write_latencies(&mut text);
        self.write_limits(&mut text);
        self.write_growth(&mut text);
        self.write_resources(&mut text);
        if !self.failures.is_empty() {
            text.push_str("### What could not be measured\n\n");
            for failure in &self.failures {
                let _ = writeln!(text, "- {}", failure.replace('\n', " "));
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    /// The servers, without the constant.
    pub(crate) fn compared(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.name != CONSTANT)
    }

    fn write_targets(&self, text: &mut String) {
        let targets = targets::of(self);
        if targets.is_empty() {
            return;
        }
        text.push_str("### What it is meant to be, and is\n\n| | meant | measured | met |\n| --- | ---: | ---: | --- |\n");
        for Target { what, meant, measured, is_met } in targets {
            let is_met = if is_met { "yes" } else { "**no**" };
            let _ = writeln!(text, "| {what} | {meant} | {measured} | {is_met} |");
        }
        text.push('\n');
    }

    fn write_resources(&self, text: &mut String) {
        if self.resources.is_empty() {
            return;
        }
        text.push_str("### Memory and start\n\n| server | start to first answer | memory before the load | at its highest |\n");
        text.push_str("| --- | ---: | ---: | ---: |\n");
        for (server, Resources { started_in, idle, loaded }) in &self.resources {
            let started_in = started_in.as_secs_f64() * 1e3;
            let _ = writeln!(
                text,
                "| {server} | {} ms | {} | {} |",
                rate(started_in),
                mebibytes(*idle),
                mebibytes(*loaded)
            );
        }
        text.push('\n');
        for (server, Whole { bytes, time, memory }) in &self.wholes {
            let _ = writeln!(
                text,
                "{server}, the largest group read whole with `limit=0`: {} MB in {:.1} s, memory at its highest {}.\n",
                bytes / 1_000_000,
                time.as_secs_f64(),
                mebibytes(*memory)
            );
        }
    }

    fn write_rates(&self, text: &mut String) {
        let compared: Vec<_> = self.compared().collect();
        text.push_str("### Requests a second\n\n| call |");
        for column in &compared {
            let _ = write!(text, " {} |", column.name);
        }
        let ratio = self.column(MEDUSA).zip(self.column(BESIDE));
        if ratio.is_some() {
            text.push_str(" times Medusa |");
        }
        text.push_str("\n| --- |");
        text.push_str(&" ---: |".repeat(compared.len() + usize::from(ratio.is_some())));
        text.push('\n');
        for call in Call::ALL {
            if compared.iter().all(|column| column.rate(call).is_none()) {
                continue;
            }
            let _ = write!(text, "| {} |", call.name());
            for column in &compared {
                let _ = write!(text, " {} |", column.rate(call).map_or_else(String::new, rate));
            }
            if let Some((medusa, stheno)) = ratio {
                let times = stheno.rate(call).zip(medusa.rate(call)).map(|(ours, theirs)| ours / theirs);
                let times = times.map_or_else(String::new, rate);
                let _ = write!(text, " {times} |");
            }
            text.push('\n');
        }
        text.push('\n');
    }

    fn write_latencies(&self, text: &mut String) {
        text.push_str("### Milliseconds at half of that rate (open loop): p50 / p99\n\n| call |");
        for column in self.compared() {
            let _ = write!(text, " {} |", column.name);
        }
        text.push_str("\n| --- |");
        text.push_str(&" ---: |".repeat(self.compared().count()));
        text.push('\n');
        for call in Call::ALL {
            let figures = |column: &'_ Column| {
                let mut figures = column.figures.iter();
                let open = &figures.find(|figures| figures.call == call && !figures.open.is_empty())?.open;
                Some(format!("{:.2} / {:.2}", open.milliseconds(0.5), open.milliseconds(0.99)))
            };
            let cells: Vec<_> = self.compared().map(figures).collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(text, "| {} |", call.name());
            for cell in cells {
                let _ = write!(text, " {} |", cell.unwrap_or_default());
            }
            text.push('\n');
        }
        text.push('\n');
    }

    /// What a call reached, and what could be at the best: the call, its rate, the limit, and what the limit is.
    pub(crate) fn shares(&self) -> Vec<Share> {
        let stheno = self.column(BESIDE).or(self.column(POSTGRES));
        let mut shares = Vec::new();
        for (call, limit) in &self.limits {
            if let Some(ours) = stheno.and_then(|column| column.rate(*call)) {
                let what = "pgbench with the same statements";
                shares.push(Share { call: *call, engine: "PostgreSQL", ours, limit: *limit, what });
            }
        }
        let constant = self.column(CONSTANT).and_then(|column| column.rate(Call::Constant));
        let sqlite = self.column(SQLITE).and_then(|column| column.rate(Call::Retrieve));
        if let Some((limit, ours)) = constant.zip(sqlite) {
            let what = "the same server with a constant";
            shares.push(Share { call: Call::Retrieve, engine: "SQLite", ours, limit, what });
        }
        shares
    }

    fn write_limits(&self, text: &mut String) {
        let shares = self.shares();
        if shares.is_empty() {
            return;
        }
        text.push_str("### Beside the limits\n\n| call | Stheno | limit | what the limit is | share |\n");
        text.push_str("| --- | ---: | ---: | --- | ---: |\n");
        for Share { call, engine, ours, limit, what } in shares {
            let name = call.name();
            let _ = writeln!(
                text,
                "| {name}, {engine} | {} | {} | {what} | {:.2} |",
                rate(ours),
                rate(limit),
                ours / limit
            );
        }
        text.push('\n');
    }

    fn write_growth(&self, text: &mut String) {
        let Some(first) = self.growth.first().filter(|growth| growth.sizes.len() > 1) else { return };
        text.push_str("### Requests a second by the number of customers\n\n| engine | call |");
        for (size, _) in &first.sizes {
            let _ = write!(text, " {} |", grouped(*size));
        }
        text.push_str(" smallest : largest |\n| --- | --- |");
        text.push_str(&" ---: |".repeat(first.sizes.len() + 1));
        text.push('\n');
        for growth in self.growth.iter().filter(|growth| growth.sizes.len() == first.sizes.len()) {
            let Growth { engine, call, sizes } = growth;
            let _ = write!(text, "| {engine} | {} |", call.name());
            for (_, figure) in sizes {
                let _ = write!(text, " {} |", rate(*figure));
            }
            let _ = writeln!(text, " {:.2} |", growth.ratio());
        }
        text.push('\n');
    }
}

/// The machine, in a few words.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("a processor that does not tell its name", |(_, name)| name.trim());
    let memory = read("/proc/meminfo");
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let memory = memory.and_then(|kibibytes| kibibytes.parse::<u64>().ok()).unwrap_or_default() >> 20;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores ({model}) for server, database and load together, {memory} GiB of memory")
}

/// A figure with as many digits as mean something.
pub(crate) fn rate(figure: f64) -> String {
    if figure < 10.0 {
        return format!("{figure:.1}");
    }
    let rounded = figure.round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and not negative")]
    grouped(rounded as usize)
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
