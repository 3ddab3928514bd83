//! The holidays and early closes of the New York Stock Exchange (Rule 7.2 and its history).

use chrono::{Datelike, NaiveDate, Weekday};

/// Closures that no rule foresees: funerals, attacks, storms.
const UNSCHEDULED: [(i32, u32, u32); 11] = [
    (1994, 4, 27),
    (2001, 9, 11),
    (2001, 9, 12),
    (2001, 9, 13),
    (2001, 9, 14),
    (2004, 6, 11),
    (2007, 1, 2),
    (2012, 10, 29),
    (2012, 10, 30),
    (2018, 12, 5),
    (2025, 1, 9),
];

/// Whether a weekday has no session.
pub(super) fn is_closed(date: NaiveDate) -> bool {
    let (year, month, day, weekday) = (date.year(), date.month(), date.day(), date.weekday());
    // The nth such weekday of a month falls on days 7n-6 to 7n.
    let nth_weekday = day.div_ceil(7);
    let is_last_monday = day > 24;
    match (month, weekday) {
        (1, Weekday::Mon) if year >= 1998 && nth_weekday == 3 => return true,
        (2, Weekday::Mon) if nth_weekday == 3 => return true,
        (5, Weekday::Mon) if is_last_monday => return true,
        (9, Weekday::Mon) if nth_weekday == 1 => return true,
        (11, Weekday::Thu) if nth_weekday == 4 => return true,
        (3 | 4, Weekday::Fri) if is_good_friday(date) => return true,
        _ => {}
    }
    // New Year's Day on a Saturday is not made up for: the year's last business day stays open for accounts.
    let is_new_year = month == 1 && (day == 1 || (day == 2 && weekday == Weekday::Mon));
    is_new_year
        || (year >= 2022 && is_observed(date, 6, 19))
        || is_observed(date, 7, 4)
        || is_observed(date, 12, 25)
        || UNSCHEDULED.contains(&(year, month, day))
}

/// The hour at which a session ends early, by the clock of New York.
pub(super) fn early_close(date: NaiveDate) -> Option<i64> {
    use Weekday::{Fri, Mon, Thu, Tue, Wed};
    let (year, weekday) = (date.year(), date.weekday());
    let is_early = match (date.month(), date.day()) {
        (7, 3) => (year >= 1995 && matches!(weekday, Mon | Tue | Thu)) || (year >= 2013 && weekday == Wed),
        (7, 5) => (1995..=2012).contains(&year) && weekday == Fri,
        // The day after Thanksgiving, the fourth Thursday.
        (11, 23..=29) => year >= 1992 && weekday == Fri,
        (12, 24) => matches!(weekday, Mon | Tue | Wed | Thu),
        (12, 26) => matches!(year, 1997 | 2003) && weekday == Fri,
        (12, 31) => year == 1999,
        _ => false,
    };
    is_early.then_some(if year <= 1992 { 14 } else { 13 })
}

/// Whether a holiday of a fixed day is kept on `date`: on the day itself, on Friday for a Saturday, on Monday for a
/// Sunday.
fn is_observed(date: NaiveDate, month: u32, day: u32) -> bool {
    let kept_for = match date.weekday() {
        Weekday::Mon => day + 1,
        Weekday::Fri => day - 1,
        _ => day,
    };
    date.month() == month && (date.day() == day || date.day() == kept_for)
}

fn is_good_friday(date: NaiveDate) -> bool {
    easter(date.year()).and_then(|easter| easter.pred_opt()?.pred_opt()) == Some(date)
}

/// Easter Sunday of the Gregorian calendar, by the algorithm of Meeus, Jones and Butcher.
fn easter(year: i32) -> Option<NaiveDate> {
    let golden = year % 19;
    let (century, of_century) = (year / 100, year % 100);
    let moon_orbit = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon_orbit + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let correction = (golden + 11 * epact + 22 * to_sunday) / 451;
    let from_march = epact + to_sunday - 7 * correction + 114;
    NaiveDate::from_ymd_opt(year, (from_march / 31).unsigned_abs(), (from_march % 31 + 1).unsigned_abs())
}
