//! Records of strings on a disk, in a [`record_log`].

use super::framing::encode;
use super::node::Ctx;
use crate::node::record_log;

/// A record of these strings, none of which holds a zero byte.
pub fn record<'a>(strings: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    record_log::record(&encode(strings))
}

/// All records of a file, which loses what a crash has torn at its end. Panics if a record is
/// damaged.
pub fn recover(ctx: &mut Ctx<'_>, file: &'static str) -> Vec<Vec<String>> {
    record_log::recover(ctx, file).iter().map(|body| strings(body)).collect()
}

/// The records of a file up to the first that is damaged or torn.
pub fn sound_beginning(bytes: &[u8]) -> Vec<Vec<String>> {
    let records = record_log::Records::new(bytes);
    records.map_while(Result::ok).map(|record| strings(record.body)).collect()
}

fn strings(body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).expect("a record with a valid checksum is text");
    let text = text.strip_suffix('\0');
    text.map(|text| text.split('\0').map(str::to_owned).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Empty strings count, and so does their order.
    #[test]
    fn strings_are_read_as_they_were_written() {
        let file = [record(["connect", "alice", ""]), record(["publish"])].concat();
        let read = sound_beginning(&file);
        assert_eq!(read, [vec!["connect", "alice", ""], vec!["publish"]]);
    }

    /// Tables that were overwritten in place may be a mixture after a crash; what is read of them
    /// ends before the first record that is not whole.
    #[test]
    fn a_mixture_is_read_to_its_first_break() {
        let mut file = [record(["connect", "alice"]), record(["publish"])].concat();
        let at = file.len() - 2;
        file[at] ^= 1;
        assert_eq!(sound_beginning(&file), [["connect", "alice"]]);
    }
}
