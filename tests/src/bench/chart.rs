//! Some rows as pictures in SVG, once for a light page and once for a dark one: as horizontal bars, or as lines over a number.

use std::path::PathBuf;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::cell::Cell;
use super::table::grouped;
use super::{Row, Subject};
use crate::ship;

/// The two pages that a chart may stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Light,
    Dark,
}

impl Page {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    const fn text(self) -> RGBColor {
        match self {
            Self::Light => RGBColor(31, 35, 40),
            Self::Dark => RGBColor(230, 237, 243),
        }
    }

    /// The bar of ours, of a floor, and of the others.
    const fn bar(self, name: &str) -> RGBColor {
        match (self, name.as_bytes()) {
            (_, b"init" | b"pause") => RGBColor(31, 136, 61),
            (Self::Light, b"floor") => RGBColor(175, 184, 193),
            (Self::Dark, b"floor") => RGBColor(72, 79, 88),
            (Self::Light, _) => RGBColor(84, 115, 173),
            (Self::Dark, _) => RGBColor(108, 142, 204),
        }
    }
}

impl Page {
    /// The line of a subject: ours and a floor's as their bars, the others' in turn in colours of their own, which are told apart by
    /// those who see no difference of red and green, too.
    fn line(self, index: usize, name: &str) -> ShapeStyle {
        const OTHERS: [RGBColor; 5] = [
            RGBColor(230, 159, 0),
            RGBColor(86, 140, 233),
            RGBColor(204, 121, 167),
            RGBColor(213, 94, 0),
            RGBColor(0, 158, 160),
        ];
        match name {
            "init" | "pause" | "floor" => self.bar(name).stroke_width(3),
            _ => OTHERS[index % OTHERS.len()].stroke_width(1),
        }
    }
}

/// What stands left of the bars, the longest bar, a bar with the room around it, and the head of a panel.
const NAMES: i32 = 110;
const LONGEST: i32 = 460;
const LINE: i32 = 22;
const HEAD: i32 = 34;

/// The picture: a panel for each row, a bar for each subject.
///
/// # Errors
/// The backend's.
pub fn svg(subjects: &[Subject], rows: &[&Row], page: Page) -> Result<String, Box<dyn std::error::Error>> {
    let panel = HEAD + LINE * subjects.len() as i32;
    let size = (NAMES + LONGEST + 110, panel * rows.len() as i32 + 10);
    let mut picture = String::new();
    {
        // No background: the page's own shows.
        let area = SVGBackend::with_string(&mut picture, (size.0 as u32, size.1 as u32)).into_drawing_area();
        let style = |size: i32, position| ("sans-serif", size).into_font().color(&page.text()).pos(position);
        let right = Pos::new(HPos::Right, VPos::Center);
        let left = Pos::new(HPos::Left, VPos::Center);
        for (number, row) in rows.iter().enumerate() {
            let top = panel * number as i32;
            area.draw(&Text::new(row.what.replace('`', ""), (8, top + HEAD / 2 + 2), style(18, left)))?;
            let values: Vec<_> = row.cells.iter().map(|cell| cell.as_ref().and_then(Cell::value)).collect();
            let highest = values.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
            for (index, (subject, value)) in subjects.iter().zip(values).enumerate() {
                let middle = top + HEAD + LINE * index as i32 + LINE / 2;
                area.draw(&Text::new(subject.name.clone(), (NAMES - 8, middle), style(16, right)))?;
                let length = (value.unwrap_or(0.0).max(0.0) / highest * f64::from(LONGEST)).round() as i32;
                let corners = [(NAMES, middle - 7), (NAMES + length.max(1), middle + 7)];
                area.draw(&Rectangle::new(corners, page.bar(&subject.name).filled()))?;
                area.draw(&Text::new(
                    row.cells[index].as_ref().map_or_else(|| "–".to_owned(), Cell::text),
                    (NAMES + length + 6, middle),
                    style(16, left),
                ))?;
            }
        }
        area.present()?;
    }
    Ok(picture)
}

/// Writes both pictures of the rows that begin with one of `shown`, to where the README shows them from.
///
/// # Panics
/// They cannot be drawn or written.
pub fn bars(name: &str, subjects: &[Subject], rows: &[Row], shown: &[&str]) {
    let rows: Vec<_> = rows.iter().filter(|row| shown.iter().any(|start| row.what.starts_with(start))).collect();
    for page in Page::ALL {
        let picture = svg(subjects, &rows, page).expect("a picture");
        std::fs::write(path(name, page), picture).expect("a file");
    }
}

/// Writes both pictures of what may grow with a number: a panel for each of as many rows as there are `numbers`, both axes
/// logarithmic.
///
/// # Panics
/// They cannot be drawn or written.
pub fn lines(name: &str, subjects: &[Subject], rows: &[Row], numbers: &[usize]) {
    for page in Page::ALL {
        let picture = grown(subjects, rows, numbers, page).expect("a picture");
        std::fs::write(path(name, page), picture).expect("a file");
    }
}

/// The size of a panel, and of the room left of and below its lines.
const PANEL: (i32, i32) = (380, 230);
const ROOM: (i32, i32) = (72, 26);

/// The picture with lines: two panels side by side, and what the lines are in the place behind the last.
fn grown(
    subjects: &[Subject],
    rows: &[Row],
    numbers: &[usize],
    page: Page,
) -> Result<String, Box<dyn std::error::Error>> {
    let panels: Vec<_> = rows.chunks(numbers.len()).collect();
    let place = |number: usize| (PANEL.0 * (number as i32 % 2), PANEL.1 * (number as i32 / 2));
    let size = (2 * PANEL.0, place(panels.len()).1 + PANEL.1);
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, (size.0 as u32, size.1 as u32)).into_drawing_area();
        let style = |size: i32, position| ("sans-serif", size).into_font().color(&page.text()).pos(position);
        let left = Pos::new(HPos::Left, VPos::Center);
        for (panel, rows) in panels.iter().enumerate() {
            let (x, y) = place(panel);
            // The rows of a panel differ in their ends.
            let what = rows[0].what.split(", with ").next().unwrap_or_default();
            area.draw(&Text::new(what.to_owned(), (x + 8, y + 12), style(13, left)))?;
            let values = rows.iter().flat_map(|row| row.cells.iter().flatten()).filter_map(Cell::value);
            let values: Vec<_> = values.filter(|value| *value > 0.0).collect();
            let lowest = values.iter().copied().fold(f64::MAX, f64::min);
            let highest = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            let ends = (numbers[0] as f64, numbers[numbers.len() - 1] as f64);
            let part = area.clone().shrink((x, y + 24), (PANEL.0 as u32 - 16, PANEL.1 as u32 - 32));
            let mut chart = ChartBuilder::on(&part)
                .x_label_area_size(ROOM.1)
                .y_label_area_size(ROOM.0)
                .build_cartesian_2d((ends.0..ends.1).log_scale(), (lowest / 1.5..highest * 1.5).log_scale())?;
            let label = |number: &f64| grouped(*number, 0);
            chart
                .configure_mesh()
                .disable_mesh()
                .x_labels(numbers.len())
                .x_label_formatter(&label)
                .y_labels(5)
                .y_label_formatter(&label)
                .axis_style(page.text())
                .label_style(("sans-serif", 12).into_font().color(&page.text()))
                .draw()?;
            for (index, subject) in subjects.iter().enumerate() {
                let value = |row: &Row| row.cells[index].as_ref().and_then(Cell::value).filter(|value| *value > 0.0);
                let points = numbers.iter().zip(*rows).filter_map(|(&number, row)| Some((number as f64, value(row)?)));
                let points: Vec<_> = points.collect();
                let style = page.line(index, &subject.name);
                chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
                chart.draw_series(points.iter().map(|&point| Circle::new(point, 3, style.filled())))?;
            }
        }
        let (x, y) = place(panels.len());
        for (index, subject) in subjects.iter().enumerate() {
            let middle = y + 40 + LINE * index as i32;
            let ends = vec![(x + ROOM.0, middle), (x + ROOM.0 + 30, middle)];
            area.draw(&PathElement::new(ends, page.line(index, &subject.name)))?;
            area.draw(&Text::new(subject.name.clone(), (x + ROOM.0 + 38, middle), style(14, left)))?;
        }
        let below = "Across: the processes below it.".to_owned();
        area.draw(&Text::new(below, (x + ROOM.0, y + 40 + LINE * subjects.len() as i32), style(14, left)))?;
        area.present()?;
    }
    Ok(picture)
}

fn path(name: &str, page: Page) -> PathBuf {
    let folder = ship::root().join("tests/charts");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join(format!("{name}-{}.svg", page.name()))
}
