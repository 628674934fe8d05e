//! Date and time as the assignment writes them: `dd/mm/yyyy hh:mm:ss`.

use crate::node::WallTime;

/// A reading of a wall clock in UTC, by the Gregorian calendar. What lies before 1970 is shown as
/// its first second.
pub fn date_text(wall: WallTime) -> String {
    let seconds = u64::try_from(wall.as_nanos() / 1_000_000_000).unwrap_or(0);
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (day, hour, minute) = (days + 1, second / 3_600, second / 60 % 60);
    format!("{day:02}/{month:02}/{year:04} {hour:02}:{minute:02}:{:02}", second % 60)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dates that are wrong wherever a calendar is: the ends of February and of the year.
    #[test]
    fn dates_are_gregorian() {
        let text = |seconds: i64| date_text(WallTime::from_nanos(seconds * 1_000_000_000));
        assert_eq!(text(0), "01/01/1970 00:00:00");
        assert_eq!(text(951_782_400), "29/02/2000 00:00:00");
        assert_eq!(text(1_709_251_199), "29/02/2024 23:59:59");
        assert_eq!(text(1_735_689_599), "31/12/2024 23:59:59");
        assert_eq!(date_text(crate::time::RUN_BEGINS), "01/01/2026 00:00:00");
        assert_eq!(text(4_107_542_400), "01/03/2100 00:00:00");
        assert_eq!(text(-5), "01/01/1970 00:00:00");
    }
}
