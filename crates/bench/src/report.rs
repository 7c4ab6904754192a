//! What was measured, as a page that is read on paper, and as a chart.

use std::fmt::Write as _;

use crate::calls::Call;
use crate::load::Measured;

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many customers the shop has, whose calls are compared.
    pub(crate) customers: usize,
    pub(crate) connections: usize,
    pub(crate) seconds: f64,
    pub(crate) rounds: usize,
    /// The servers that are compared, and what each call measured.
    pub(crate) columns: Vec<Column>,
    /// What PostgreSQL itself does with the same statements, a second.
    pub(crate) limits: Vec<(Call, f64)>,
    /// How a call changes with the size of the shop: the engine, the call, and for each size its figures.
    pub(crate) growth: Vec<Growth>,
    /// Any further lines, such as of memory and of starting.
    pub(crate) facts: Vec<[String; 3]>,
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
    pub(crate) engine: String,
    pub(crate) call: Call,
    pub(crate) sizes: Vec<(usize, f64)>,
}

/// The names of the columns that are compared with each other.
pub(crate) const MEDUSA: &str = "Medusa";
pub(crate) const BESIDE: &str = "Stheno, same database";
pub(crate) const POSTGRES: &str = "Stheno, PostgreSQL";
pub(crate) const SQLITE: &str = "Stheno, SQLite";
pub(crate) const CONSTANT: &str = "the constant";

impl Column {
    pub(crate) fn rate(&self, call: Call) -> Option<f64> {
        let figures = self.figures.iter().find(|figures| figures.call == call)?;
        Some(figures.closed.per_second())
    }
}

impl Report {
    fn column(&self, name: &str) -> Option<&Column> {
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
        self.write_rates(&mut text);
        self.write_latencies(&mut text);
        self.write_limits(&mut text);
        self.write_growth(&mut text);
        if !self.facts.is_empty() {
            text.push_str("### Memory and start\n\n| server | what | |\n| --- | --- | ---: |\n");
            for [server, what, figure] in &self.facts {
                let _ = writeln!(text, "| {server} | {what} | {figure} |");
            }
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    fn compared(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.name != CONSTANT)
    }

    fn write_rates(&self, text: &mut String) {
        let compared: Vec<_> = self.compared().collect();
        text.push_str("### Requests a second\n\n| call |");
        for column in &compared {
            let _ = write!(text, " {} |", column.name);
        }
        let ratio = self.column(MEDUSA).zip(self.column(BESIDE));
        if ratio.is_some() {
            text.push_str(" times Medusa | meant |");
        }
        text.push_str("\n| --- |");
        text.push_str(&" ---: |".repeat(compared.len() + if ratio.is_some() { 2 } else { 0 }));
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
                let meant = call.target().map_or_else(String::new, rate);
                let _ = write!(text, " {times} | {meant} |");
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

    fn write_limits(&self, text: &mut String) {
        let constant = self.column(CONSTANT).and_then(|column| column.rate(Call::Constant));
        let sqlite = self.column(SQLITE).and_then(|column| column.rate(Call::Retrieve));
        if self.limits.is_empty() && constant.zip(sqlite).is_none() {
            return;
        }
        text.push_str("### Beside the limits\n\n| call | Stheno | limit | what the limit is | share |\n");
        text.push_str("| --- | ---: | ---: | --- | ---: |\n");
        let mut row = |name: &str, ours: f64, limit: f64, what: &str| {
            let _ = writeln!(
                text,
                "| {name} | {} | {} | {what} | {:.2} |",
                rate(ours),
                rate(limit),
                ours / limit
            );
        };
        let beside = self.column(BESIDE).or(self.column(POSTGRES));
        for (call, limit) in &self.limits {
            if let Some(ours) = beside.and_then(|column| column.rate(*call)) {
                row(call.name(), ours, *limit, "pgbench with the same statements");
            }
        }
        if let Some((constant, ours)) = constant.zip(sqlite) {
            row("retrieve a group, SQLite", ours, constant, "the same server with a constant");
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
        for Growth { engine, call, sizes } in &self.growth {
            let _ = write!(text, "| {engine} | {} |", call.name());
            for (_, figure) in sizes {
                let _ = write!(text, " {} |", rate(*figure));
            }
            let ends = sizes.first().zip(sizes.last());
            let ratio = ends.map_or(1.0, |((_, first), (_, last))| first / last);
            let _ = writeln!(text, " {ratio:.2} |");
        }
        text.push('\n');
    }

    /// A chart of the requests a second, on a scale that multiplies by ten at each line.
    pub(crate) fn to_svg(&self) -> String {
        const COLOURS: [&str; 4] = ["#9ca3af", "#2563eb", "#0d9488", "#d97706"];
        const LEFT: f64 = 240.0;
        const WIDTH: f64 = 560.0;
        const BAR: f64 = 9.0;
        const LEGEND: f64 = 44.0;
        let compared: Vec<_> = self.compared().collect();
        let calls: Vec<_> = Call::ALL
            .into_iter()
            .filter(|call| compared.iter().any(|column| column.rate(*call).is_some()))
            .collect();
        let row = f64::from(u32::try_from(compared.len()).unwrap_or(1)) * BAR + 10.0;
        let height = LEGEND + row * f64::from(u32::try_from(calls.len()).unwrap_or(1)) + 30.0;
        let place = |figure: f64| LEFT + WIDTH * (figure.max(0.1).log10() + 1.0) / 6.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"{height:.0}\" viewBox=\"0 0 860 {height:.0}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<title>Requests a second</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        let mut x = LEFT;
        for (column, colour) in compared.iter().zip(COLOURS) {
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.0}\" y=\"12\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
                 <text x=\"{:.0}\" y=\"22\">{}</text>",
                x + 17.0,
                column.name
            );
            x += 40.0 + 7.0 * f64::from(u32::try_from(column.name.len()).unwrap_or(0));
        }
        for power in -1..=5_i32 {
            let x = place(10_f64.powi(power));
            let label =
                if power < 0 { "0.1".to_owned() } else { grouped(10_usize.pow(power.unsigned_abs())) };
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.0}\" y2=\"{:.0}\" stroke=\"#e5e7eb\"/>\
                 <text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#6b7280\">{label}</text>",
                LEGEND - 6.0,
                height - 24.0,
                height - 8.0
            );
        }
        let mut y = LEGEND;
        for call in calls {
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + row / 2.0,
                call.name()
            );
            for (index, (column, colour)) in compared.iter().zip(COLOURS).enumerate() {
                let Some(figure) = column.rate(call) else { continue };
                let top = y + BAR * f64::from(u32::try_from(index).unwrap_or(0));
                let _ = writeln!(
                    svg,
                    "<rect x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"9\" fill=\"#374151\">{}</text>",
                    (place(figure) - LEFT).max(1.0),
                    BAR - 1.5,
                    place(figure) + 3.0,
                    top + BAR - 2.0,
                    rate(figure)
                );
            }
            y += row;
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// The machine, in a few words.
fn machine() -> String {
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
fn rate(figure: f64) -> String {
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
