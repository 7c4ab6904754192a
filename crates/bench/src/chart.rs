//! The figures as a chart: requests a second of each server, on a scale that multiplies by ten at each line.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::calls::Call;
use crate::report::{Column, Report, grouped, rate};

const WIDTH: u32 = 960;
/// The heights of a bar, of the space between the bars of two calls, of the legend, and of the scale.
const BAR: u32 = 11;
const SPACE: u32 = 9;
const HEAD: u32 = 64;
const FOOT: u32 = 34;
/// Where bars begin, and how wide the longest may be.
const LEFT: u32 = 260;
const LONGEST: u32 = 630;
/// The scale, as powers of ten.
const LOWEST: i32 = -1;
const HIGHEST: i32 = 5;

const INK: RGBColor = RGBColor(31, 41, 55);
const FAINT: RGBColor = RGBColor(209, 213, 219);
const COLOURS: [RGBColor; 4] =
    [RGBColor(217, 119, 6), RGBColor(37, 99, 235), RGBColor(13, 148, 136), RGBColor(124, 58, 237)];

/// The chart, as SVG. It brings its own light background, so that it can be read on a dark page.
pub(crate) fn draw(report: &Report) -> anyhow::Result<String> {
    let columns: Vec<&Column> = report.compared().collect();
    let calls: Vec<Call> = Call::ALL
        .into_iter()
        .filter(|call| columns.iter().any(|column| column.rate(*call).is_some()))
        .collect();
    let row = u32::try_from(columns.len())? * BAR + SPACE;
    let height = HEAD + row * u32::try_from(calls.len())? + FOOT;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let text = |size: u32, colour: RGBColor, horizontal: HPos| TextStyle {
            font: ("sans-serif", size).into_font(),
            color: colour.to_backend_color(),
            pos: Pos::new(horizontal, VPos::Center),
        };
        let title = format!("Requests a second, {} customers", grouped(report.customers));
        area.draw(&Text::new(title, point(16, 20), text(16, INK, HPos::Left)))?;
        let mut x = LEFT;
        for (column, colour) in columns.iter().zip(COLOURS) {
            area.draw(&Rectangle::new([point(x, 40), point(x + 12, 52)], colour.filled()))?;
            area.draw(&Text::new(column.name.clone(), point(x + 18, 46), text(13, INK, HPos::Left)))?;
            x += 44 + 7 * u32::try_from(column.name.len())?;
        }
        for power in LOWEST..=HIGHEST {
            let figure = 10_f64.powi(power);
            let x = place(figure);
            area.draw(&PathElement::new([point(x, HEAD - 4), point(x, height - FOOT)], FAINT))?;
            let label = if figure < 1.0 { figure.to_string() } else { rate(figure) };
            area.draw(&Text::new(label, point(x, height - FOOT / 2), text(12, INK, HPos::Center)))?;
        }
        let mut y = HEAD;
        for call in calls {
            let middle = point(LEFT - 10, y + (row - SPACE) / 2);
            area.draw(&Text::new(call.name(), middle, text(13, INK, HPos::Right)))?;
            for (column, colour) in columns.iter().zip(COLOURS) {
                if let Some(figure) = column.rate(call) {
                    let end = place(figure).max(LEFT + 1);
                    area.draw(&Rectangle::new([point(LEFT, y), point(end, y + BAR - 2)], colour.filled()))?;
                    let at = point(end + 4, y + BAR / 2);
                    area.draw(&Text::new(rate(figure), at, text(10, INK, HPos::Left)))?;
                }
                y += BAR;
            }
            y += SPACE;
        }
        area.present()?;
    }
    Ok(svg)
}

/// Where a bar of this figure ends.
fn place(figure: f64) -> u32 {
    let share = (figure.log10() - f64::from(LOWEST)) / f64::from(HIGHEST - LOWEST);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the width")]
    let along = (share.clamp(0.0, 1.0) * f64::from(LONGEST)) as u32;
    LEFT + along
}

fn point(x: u32, y: u32) -> (i32, i32) {
    (x.cast_signed(), y.cast_signed())
}
