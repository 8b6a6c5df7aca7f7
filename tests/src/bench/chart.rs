//! Some rows as horizontal bars, in SVG, once for a light page and once for a dark one.

use std::path::PathBuf;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::cell::Cell;
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

/// Writes both pictures of `name` to where the README shows them from.
///
/// # Panics
/// They cannot be drawn or written.
pub fn write(name: &str, subjects: &[Subject], rows: &[&Row]) {
    for page in Page::ALL {
        let picture = svg(subjects, rows, page).expect("a picture");
        std::fs::write(path(name, page), picture).expect("a file");
    }
}

fn path(name: &str, page: Page) -> PathBuf {
    let folder = ship::root().join("tests/charts");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join(format!("{name}-{}.svg", page.name()))
}
