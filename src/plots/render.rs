//! Renders a scene as SVG and PNG, with the two backends of `plotters`.

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontStyle, FontTransform, IntoFont, RGBAColor, ShapeStyle, TextStyle,
};

use super::Drawing;
use super::font;
use super::scene::{Anchor, Ink, Scene, Shape, TextLook};

/// Backends place shapes at whole pixels. Both draw at twice the size of the page: this gives the
/// SVG half units, and the bitmap, which is scaled down afterwards, smooth edges.
const SCALE: u32 = 2;

/// The maximum side of a page in units; plots stay below it.
const SIDE_MAX: f64 = 4_000.0;

/// On bitmaps `plotters` sets text this many ems higher than in SVG.
const BITMAP_DROP_EM: f64 = 0.15;

impl Scene {
    /// Draw the page twice.
    pub(crate) fn render(&self) -> Drawing {
        Drawing { svg: self.svg(), png: self.png() }
    }

    fn size(&self) -> (u32, u32) {
        let side = |length: f64| length.clamp(1.0, SIDE_MAX).ceil() as u32;
        (side(self.width), side(self.height))
    }

    /// The page as SVG only: a bitmap takes much longer.
    pub(crate) fn svg(&self) -> String {
        let (width, height) = self.size();
        let mut drawn = String::with_capacity(self.shapes.len() * 160);
        let mut backend = SVGBackend::with_string(&mut drawn, (SCALE * width, SCALE * height));
        paint(self, &mut backend, false);
        // Closes the document; writing to memory cannot fail.
        let _ = backend.present();
        drop(backend);
        // The header of `plotters` has the doubled size; ours has the page's, a title for screen
        // readers, and round joins.
        let body = drawn.find(">\n").map_or("", |end| &drawn[end + 2..]);
        let title = self
            .title
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace(char::is_control, "?");
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
                viewBox=\"0 0 {} {}\" role=\"img\" \
             stroke-linejoin=\"round\">\n<title>{title}</title>\n{body}",
            SCALE * width,
            SCALE * height,
        )
    }

    fn png(&self) -> Vec<u8> {
        let (width, height) = self.size();
        let mut large = vec![255_u8; (3 * SCALE * width * SCALE * height) as usize];
        let mut backend = BitMapBackend::with_buffer(&mut large, (SCALE * width, SCALE * height));
        paint(self, &mut backend, true);
        drop(backend);
        encode(&halve(&large, width as usize, height as usize), width, height)
    }
}

/// The mean of each two by two pixels.
fn halve(large: &[u8], width: usize, height: usize) -> Vec<u8> {
    let row = 3 * 2 * width;
    let mut small = Vec::with_capacity(3 * width * height);
    for rows in large.chunks_exact(2 * row).take(height) {
        let (upper, lower) = rows.split_at(row);
        for (a, b) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            for i in 0..3 {
                let sum =
                    u16::from(a[i]) + u16::from(a[i + 3]) + u16::from(b[i]) + u16::from(b[i + 3]);
                small.push(((sum + 2) / 4) as u8);
            }
        }
    }
    small
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Without a filter, equal rows stay equal, which gives the smallest files for drawings: half
    // the size of the fast setting, in a dozen milliseconds.
    encoder.set_compression(png::Compression::Default);
    encoder.set_filter(png::FilterType::NoFilter);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(pixels)?;
        writer.finish()
    });
    written.expect("an image of the announced size, written into memory");
    file
}

/// Draw all shapes on a backend of `SCALE` times the page's size. Shapes that a backend refuses are
/// left out: a plot is never worth a crash.
fn paint<B: DrawingBackend>(scene: &Scene, backend: &mut B, bitmap: bool) {
    let (width, height) = scene.size();
    let page = (at((0.0, 0.0)), ((SCALE * width) as i32, (SCALE * height) as i32));
    let _ = backend.draw_rect(page.0, page.1, &filled(super::palette::WHITE.into()), true);
    for shape in &scene.shapes {
        // A refused shape is left out.
        let _ = match shape {
            Shape::Rect { left, top, right, bottom, ink } => {
                let (from, to) = (at((*left, *top)), at((*right, *bottom)));
                // Even the narrowest rectangle must be visible.
                backend.draw_rect(
                    from,
                    (to.0.max(from.0 + 1), to.1.max(from.1 + 1)),
                    &filled(*ink),
                    true,
                )
            }
            Shape::Line { points, ink, width } if bitmap => {
                strokes(backend, points, *ink, *width);
                Ok(())
            }
            Shape::Line { points, ink, width } => {
                backend.draw_path(points.iter().map(|point| at(*point)), &stroke(*ink, *width))
            }
            Shape::Polygon { points, ink } => {
                backend.fill_polygon(points.iter().map(|point| at(*point)), &rgba(*ink))
            }
            Shape::Disc { center, radius, ink } => {
                backend.draw_circle(at(*center), scaled(*radius).max(1) as u32, &filled(*ink), true)
            }
            Shape::Ring { center, radius, ink, width } => backend.draw_circle(
                at(*center),
                scaled(*radius).max(1) as u32,
                &stroke(*ink, *width),
                false,
            ),
            Shape::Text { at, text, look } => {
                write(backend, *at, text, look, bitmap);
                Ok(())
            }
        };
    }
}

/// A polyline on a bitmap, stroke by stroke: `plotters` makes wide polylines one polygon, which
/// tears at sharp turns.
fn strokes<B: DrawingBackend>(backend: &mut B, points: &[(f64, f64)], ink: Ink, width: f64) {
    let thick = scaled(width).max(1);
    for pair in points.windows(2) {
        let (from, to) = (at(pair[0]), at(pair[1]));
        if from.0 == to.0 || from.1 == to.1 {
            let (left, right) =
                (from.0.min(to.0) - thick / 2, from.0.max(to.0) - thick / 2 + thick);
            let (top, bottom) =
                (from.1.min(to.1) - thick / 2, from.1.max(to.1) - thick / 2 + thick);
            // Ends are not extended if the line has only these two points.
            let (left, right) = if points.len() == 2 && from.1 == to.1 {
                (from.0.min(to.0), from.0.max(to.0))
            } else {
                (left, right)
            };
            let (top, bottom) = if points.len() == 2 && from.0 == to.0 {
                (from.1.min(to.1), from.1.max(to.1))
            } else {
                (top, bottom)
            };
            let _ = backend.draw_rect((left, top), (right, bottom), &filled(ink), true);
        } else {
            let _ = backend.draw_line(from, to, &stroke(ink, width));
        }
    }
}

fn write<B: DrawingBackend>(
    backend: &mut B,
    place: (f64, f64),
    text: &str,
    look: &TextLook,
    bitmap: bool,
) {
    let horizontal = match look.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let style = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
    let transform = if look.upward { FontTransform::Rotate270 } else { FontTransform::None };
    let font = (font::family(), f64::from(SCALE) * look.size * font::LINE_OF_EM, style)
        .into_font()
        .transform(transform);
    let drop = if bitmap { look.size * BITMAP_DROP_EM } else { 0.0 };
    let place = if look.upward { (place.0 + drop, place.1) } else { (place.0, place.1 + drop) };
    let style = TextStyle::from(font).color(&look.color).pos(Pos::new(horizontal, VPos::Center));
    let _ = backend.draw_text(text, &style, at(place));
}

fn rgba(ink: Ink) -> RGBAColor {
    ink.color.mix(ink.alpha)
}

fn filled(ink: Ink) -> ShapeStyle {
    rgba(ink).filled()
}

fn stroke(ink: Ink, width: f64) -> ShapeStyle {
    rgba(ink).stroke_width(scaled(width).max(1) as u32)
}

/// Page units to backend pixels. Coordinates from a damaged trace are kept near the page.
fn scaled(length: f64) -> i32 {
    (length.clamp(-SIDE_MAX, 2.0 * SIDE_MAX) * f64::from(SCALE)).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (scaled(x), scaled(y))
}
