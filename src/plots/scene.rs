//! What a plot is made of: shapes on a page, in page units (a unit is a pixel of the PNG).

use plotters::style::RGBColor;

use super::font;
use super::palette;

/// A colour that may let through what lies below.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ink {
    pub(crate) color: RGBColor,
    /// 0: invisible, 1: opaque.
    pub(crate) alpha: f64,
}

impl From<RGBColor> for Ink {
    fn from(color: RGBColor) -> Self {
        Ink { color, alpha: 1.0 }
    }
}

/// A colour that lets through what lies below.
pub(crate) fn sheer(color: RGBColor, alpha: f64) -> Ink {
    Ink { color, alpha }
}

/// Which point of a text is put at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks. Its place is the middle of its height.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextLook {
    /// An em, in page units.
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) color: RGBColor,
    pub(crate) anchor: Anchor,
    /// Turned by a quarter to the left, for the names of vertical axes.
    pub(crate) upward: bool,
}

impl TextLook {
    pub(crate) fn new(size: f64) -> Self {
        TextLook { size, bold: false, color: palette::INK, anchor: Anchor::Start, upward: false }
    }

    pub(crate) fn bold(self) -> Self {
        TextLook { bold: true, ..self }
    }

    pub(crate) fn color(self, color: RGBColor) -> Self {
        TextLook { color, ..self }
    }

    pub(crate) fn anchor(self, anchor: Anchor) -> Self {
        TextLook { anchor, ..self }
    }

    pub(crate) fn upward(self) -> Self {
        TextLook { upward: true, ..self }
    }

    /// How wide `text` is, in page units.
    pub(crate) fn width(&self, text: &str) -> f64 {
        font::width_em(text, self.bold) * self.size
    }
}

/// A shape.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Rect { left: f64, top: f64, right: f64, bottom: f64, ink: Ink },
    Line { points: Vec<(f64, f64)>, ink: Ink, width: f64 },
    Polygon { points: Vec<(f64, f64)>, ink: Ink },
    Disc { center: (f64, f64), radius: f64, ink: Ink },
    Ring { center: (f64, f64), radius: f64, ink: Ink, width: f64 },
    Text { at: (f64, f64), text: String, look: TextLook },
}

/// A page with shapes, the later ones above.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) title: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}

impl Scene {
    pub(crate) fn new(title: String, width: f64) -> Self {
        Scene { title, width, height: 0.0, shapes: Vec::new() }
    }

    pub(crate) fn rect(
        &mut self,
        (left, right): (f64, f64),
        (top, bottom): (f64, f64),
        ink: impl Into<Ink>,
    ) {
        self.shapes.push(Shape::Rect { left, top, right, bottom, ink: ink.into() });
    }

    pub(crate) fn line(&mut self, points: Vec<(f64, f64)>, width: f64, ink: impl Into<Ink>) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, ink: ink.into(), width });
        }
    }

    pub(crate) fn segment(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        width: f64,
        ink: impl Into<Ink>,
    ) {
        self.line(vec![from, to], width, ink);
    }

    /// A broken line, along one axis.
    pub(crate) fn dashes(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        width: f64,
        ink: impl Into<Ink>,
    ) {
        const DASH: f64 = 4.0;
        const DASHES_MAX: f64 = 400.0;
        let ink = ink.into();
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let count = ((dx * dx + dy * dy).sqrt() / (2.0 * DASH)).ceil().clamp(1.0, DASHES_MAX);
        let at = |part: f64| (from.0 + dx * part / count, from.1 + dy * part / count);
        for i in 0..count as u32 {
            self.segment(at(f64::from(i)), at(f64::from(i) + 0.5), width, ink);
        }
    }

    pub(crate) fn polygon(&mut self, points: Vec<(f64, f64)>, ink: impl Into<Ink>) {
        self.shapes.push(Shape::Polygon { points, ink: ink.into() });
    }

    pub(crate) fn disc(&mut self, center: (f64, f64), radius: f64, ink: impl Into<Ink>) {
        self.shapes.push(Shape::Disc { center, radius, ink: ink.into() });
    }

    pub(crate) fn ring(
        &mut self,
        center: (f64, f64),
        radius: f64,
        width: f64,
        ink: impl Into<Ink>,
    ) {
        self.shapes.push(Shape::Ring { center, radius, ink: ink.into(), width });
    }

    /// Two crossing strokes: what did not arrive, did not return, or ended.
    pub(crate) fn cross(
        &mut self,
        (x, y): (f64, f64),
        reach: f64,
        width: f64,
        ink: impl Into<Ink>,
    ) {
        let ink = ink.into();
        self.segment((x - reach, y - reach), (x + reach, y + reach), width, ink);
        self.segment((x - reach, y + reach), (x + reach, y - reach), width, ink);
    }

    /// Slanted strokes over a rectangle: nothing happens here.
    pub(crate) fn hatch(
        &mut self,
        (left, right): (f64, f64),
        (top, bottom): (f64, f64),
        gap: f64,
        ink: impl Into<Ink>,
    ) {
        let ink = ink.into();
        let height = bottom - top;
        let mut foot = left - height + gap;
        while foot < right {
            // From (foot, bottom) up to the right, cut at both sides.
            let cut_left = (left - foot).max(0.0);
            let cut_right = (foot + height - right).max(0.0);
            if cut_left + cut_right < height {
                self.segment(
                    (foot + cut_left, bottom - cut_left),
                    (foot + height - cut_right, top + cut_right),
                    1.0,
                    ink,
                );
            }
            foot += gap;
        }
    }

    /// The four sides of a rectangle, within it: something is there, and takes no part.
    pub(crate) fn frame(
        &mut self,
        (left, right): (f64, f64),
        (top, bottom): (f64, f64),
        ink: impl Into<Ink>,
    ) {
        let ink = ink.into();
        for (top, bottom) in [(top, top + 1.0), (bottom - 1.0, bottom)] {
            self.rect((left, right), (top, bottom), ink);
        }
        for (left, right) in [(left, left + 1.0), ((right - 1.0).max(left), right)] {
            self.rect((left, right), (top, bottom), ink);
        }
    }

    pub(crate) fn text(&mut self, at: (f64, f64), text: impl Into<String>, look: TextLook) {
        let text: String = text.into();
        // A damaged trace may hold anything, and XML forbids control characters.
        let text = if text.chars().any(char::is_control) {
            text.replace(char::is_control, "?")
        } else {
            text
        };
        if !text.is_empty() {
            self.shapes.push(Shape::Text { at, text, look });
        }
    }
}

/// A text that takes at most `width`, ending in `…` where it was cut.
pub(crate) fn cut_to(text: &str, look: TextLook, width: f64) -> String {
    const CHARACTERS_MAX: usize = 400;
    if text.len() <= CHARACTERS_MAX && look.width(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut room = width - look.size;
    for c in text.chars().take(CHARACTERS_MAX) {
        room -= look.width(c.encode_utf8(&mut [0; 4]));
        if room < 0.0 {
            break;
        }
        cut.push(c);
    }
    cut.truncate(cut.trim_end_matches([' ', ',', '|']).len());
    cut.push('…');
    cut
}

/// A name that takes at most `width`, with `…` in its middle where it was cut: names of one kind
/// differ in their ends.
pub(crate) fn shortened(name: &str, look: TextLook, width: f64) -> String {
    /// Characters at the end that stay.
    const END: usize = 6;
    const CHARACTERS_MAX: usize = 400;
    if name.len() <= CHARACTERS_MAX && look.width(name) <= width {
        return name.to_owned();
    }
    let start = name.char_indices().rev().nth(END - 1).map_or(0, |(at, _)| at);
    let (head, tail) = name.split_at(start);
    let head = cut_to(&format!("{head}…"), look, width - look.width(tail));
    if look.width(&head) + look.width(tail) > width {
        cut_to(name, look, width)
    } else {
        head + tail
    }
}
