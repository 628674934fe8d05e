//! Cells of CSV files that are opened in spreadsheets.

use csv::WriterBuilder;

/// A cell that no spreadsheet takes for a formula: where it begins with `=`, `+`, `-`, `@`, a tab
/// or a line break, an apostrophe comes first, which spreadsheets take as the mark of a text.
pub(super) fn harmless(text: &str) -> String {
    // Unprintable characters first: some programs leave them out and see the formula behind them.
    let visible = text.trim_start_matches(|c: char| {
        c.is_control() && !"\t\r\n".contains(c) || "\u{feff}\u{200b}\u{200e}\u{200f}".contains(c)
    });
    if visible.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Rows as CSV, with `,` or `;` between the cells.
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

    /// A student may be called `=cmd()`; the instructor's spreadsheet must not run it. Numbers of
    /// points are never negative.
    #[test]
    fn formulas_become_texts() {
        let cells = ["=cmd()", "+1", "-1", "@x", "\t=x", "\u{feff}=x", "2.5", "a=b", ""];
        assert_eq!(
            cells.map(harmless),
            ["'=cmd()", "'+1", "'-1", "'@x", "'\t=x", "'\u{feff}=x", "2.5", "a=b", ""]
        );
    }
}
