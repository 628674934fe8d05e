//! Cells of CSV files that people open in spreadsheets.

use csv::WriterBuilder;

/// A cell that no spreadsheet takes for a formula: if it starts with `=`, `+`, `-`, `@`, a tab or a
/// line break, it is prefixed with an apostrophe, which marks it as text.
pub(super) fn harmless(text: &str) -> String {
    // Skip leading unprintable characters: some programs drop them and see the formula behind them.
    let visible = text.trim_start_matches(|c: char| {
        c.is_control() && !"\t\r\n".contains(c) || "\u{feff}\u{200b}\u{200e}\u{200f}".contains(c)
    });
    if visible.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Rows as CSV, separated by `,` or `;`.
pub(super) fn csv(rows: impl IntoIterator<Item = Vec<String>>, semicolons: bool) -> Vec<u8> {
    let mut writer = WriterBuilder::new()
        .delimiter(if semicolons { b';' } else { b',' })
        .flexible(true)
        .from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row.iter().map(|cell| harmless(cell)))
            .expect("a vector takes every byte");
    }
    writer.into_inner().expect("a vector takes every byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A student may be named `=cmd()`, and the instructor's spreadsheet must not run it. Points
    /// are never negative, so no number is affected.
    #[test]
    fn formulas_become_texts() {
        let cells = ["=cmd()", "+1", "-1", "@x", "\t=x", "\u{feff}=x", "2.5", "a=b", ""];
        assert_eq!(
            cells.map(harmless),
            ["'=cmd()", "'+1", "'-1", "'@x", "'\t=x", "'\u{feff}=x", "2.5", "a=b", ""]
        );
    }
}
