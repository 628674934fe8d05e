//! The embedded font, and the width of a text in it.

use std::sync::OnceLock;

use plotters::style::{FontFamily, FontStyle, IntoFont, register_font};

/// The font's name in SVG. Viewers have one of these, with about the widths of the embedded font;
/// the generic family comes last. `plotters` knows the embedded font under the same name.
const FAMILY: &str = "Liberation Sans, Arial, Helvetica, sans-serif";

/// `plotters` takes the line height as a font's size; an em is smaller by this factor.
pub(crate) const LINE_OF_EM: f64 = 1.24;

const REGULAR: &[u8] = include_bytes!("font/seedbed-sans-regular.ttf");
const BOLD: &[u8] = include_bytes!("font/seedbed-sans-bold.ttf");

/// The family, registered with `plotters` on first use.
pub(crate) fn family() -> FontFamily<'static> {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        for (style, bytes) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD)] {
            assert!(
                register_font(FAMILY, style, bytes).is_ok(),
                "the embedded font is a valid font"
            );
        }
    });
    FontFamily::Name(FAMILY)
}

/// Advances of U+0020 to U+00FF in thousandths of an em; every other character counts as a wide
/// one.
struct Advances {
    regular: [u16; 224],
    bold: [u16; 224],
}

/// The width of a text in ems.
pub(crate) fn width_em(text: &str, bold: bool) -> f64 {
    static ADVANCES: OnceLock<Advances> = OnceLock::new();
    let advances = ADVANCES.get_or_init(|| Advances {
        regular: measure(FontStyle::Normal),
        bold: measure(FontStyle::Bold),
    });
    let table = if bold { &advances.bold } else { &advances.regular };
    let thousandths: u32 = text
        .chars()
        .map(|c| {
            (c as usize)
                .checked_sub(0x20)
                .and_then(|i| table.get(i))
                .copied()
                .map_or(1_000, u32::from)
        })
        .sum();
    f64::from(thousandths) / 1_000.0
}

/// Measure all characters once with `plotters`, so that layouts measure texts by addition.
fn measure(style: FontStyle) -> [u16; 224] {
    // With an em of a thousand pixels, whole pixels are thousandths.
    let font = (family(), 1_000.0 * LINE_OF_EM, style).into_font();
    std::array::from_fn(|i| {
        let c =
            char::from(u8::try_from(0x20 + i).expect("224 characters from U+0020 end at U+00FF"));
        let box_of_c = font.layout_box(c.encode_utf8(&mut [0; 4]));
        box_of_c.ok().and_then(|(_, (width, _))| u16::try_from(width).ok()).unwrap_or(1_000)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Liberation Sans has the widths of Arial: digits 0.556 em, the space 0.278 em, bold digits as
    /// wide as regular ones. The cut of it that is embedded here has 0.02 em more for each.
    #[test]
    fn texts_have_the_widths_of_the_typeface() {
        assert!((width_em("0123456789", false) - 5.76).abs() < 0.02);
        assert!((width_em("0123456789", true) - 5.76).abs() < 0.02);
        assert!((width_em(" ", false) - 0.298).abs() < 0.002);
        assert!(width_em("election", true) > width_em("election", false));
    }
}
