//! Schedules: five fields, UTC, and when they are next due. The reference is `cron.py`.

use super::job::{Error, Result};

const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;
/// 29 February may be eight years away.
const DAYS_AHEAD: i64 = 366 * 9;
/// 31 December 9999: no run is later.
const LAST: i64 = 253_402_214_400_000;
const FIELDS: [(&str, u32, u32); 5] = [
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule made ready: a bit for each minute, hour, day, month and weekday that fits.
#[derive(Debug, Clone)]
pub struct Cron {
    fields: [u64; 5],
    either: bool,
}

impl Cron {
    /// Reads a line.
    ///
    /// ```
    /// use agent_core_utils::queue::Cron;
    ///
    /// let noon = Cron::parse("0 12 * * mon-fri")?;
    /// assert_eq!(noon.after(0), Some(12 * 3_600_000)); // 1 January 1970 was a Thursday
    /// # Ok::<(), agent_core_utils::queue::Error>(())
    /// ```
    pub fn parse(expression: &str) -> Result<Self> {
        let line = match expression {
            "@hourly" => "0 * * * *",
            "@daily" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" => "0 0 1 1 *",
            other => other,
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.len() != FIELDS.len() {
            return Err(Error::Value(format!(
                "a schedule has 5 fields (minute hour day month weekday), got {}",
                words.len()
            )));
        }
        let mut fields = [0; 5];
        for ((set, word), (name, least, most)) in fields.iter_mut().zip(&words).zip(FIELDS) {
            *set = field(word, name, least, most)?;
        }
        fields[4] = (fields[4] | fields[4] >> 7) & 0x7F;
        let either = !words[2].starts_with('*') && !words[4].starts_with('*');
        Ok(Self { fields, either })
    }

    /// The first fitting minute after `now`, both in milliseconds since 1970.
    pub fn after(&self, now: i64) -> Option<i64> {
        if !(0..LAST).contains(&now) {
            return None;
        }
        let start = now.div_euclid(MINUTE) * MINUTE + MINUTE;
        let first = start.div_euclid(DAY);
        for day in first..first + DAYS_AHEAD {
            if !self.fits(day) {
                continue;
            }
            for minute in 0..1440_i64 {
                let at = day * DAY + minute * MINUTE;
                if at >= start && self.has(1, minute / 60) && self.has(0, minute % 60) {
                    return Some(at);
                }
            }
            if day * DAY >= LAST - DAY {
                return None;
            }
        }
        None
    }

    fn has(&self, field: usize, value: i64) -> bool {
        self.fields[field] >> value & 1 == 1
    }

    fn fits(&self, day: i64) -> bool {
        let (month, date) = month_and_day(day);
        let dates = self.has(2, date);
        let weekdays = self.has(4, (day + 4).rem_euclid(7));
        self.has(3, month)
            && if self.either {
                dates || weekdays
            } else {
                dates && weekdays
            }
    }
}

/// Month and day of a day since 1970; after Howard Hinnant's `civil_from_days`.
fn month_and_day(day: i64) -> (i64, i64) {
    let day = day + 719_468;
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    (
        if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        },
        date,
    )
}

fn field(word: &str, name: &str, least: u32, most: u32) -> Result<u64> {
    let mut found = 0;
    for part in word.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(number(step, name, 1, most, word)?)),
            None => (part, None),
        };
        let (first, last) = if span == "*" {
            (least, most - u32::from(name == "day of week"))
        } else if let Some((low, high)) = span.split_once('-') {
            let low = number(low, name, least, most, word)?;
            (low, number(high, name, least, most, word)?)
        } else {
            let low = number(span, name, least, most, word)?;
            (low, if step.is_some() { most } else { low })
        };
        if last < first {
            return Err(Error::Value(format!(
                "{name}: the range in '{word}' runs backwards"
            )));
        }
        for value in (first..=last).step_by(step.unwrap_or(1) as usize) {
            found |= 1 << value;
        }
    }
    Ok(found)
}

fn number(text: &str, name: &str, least: u32, most: u32, word: &str) -> Result<u32> {
    let names: &[&str] = match name {
        "month" => &MONTHS,
        "day of week" => &WEEKDAYS,
        _ => &[],
    };
    let lower = text.to_lowercase();
    if let Some(at) = names.iter().position(|known| *known == lower) {
        return Ok(u32::try_from(at).unwrap_or(most) + least);
    }
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { text.parse().ok() } else { None };
    value
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| {
            Error::Value(format!(
                "{name}: expected numbers from {least} to {most} in '{word}'"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::Cron;

    fn after(line: &str, now: i64) -> Option<i64> {
        Cron::parse(line)
            .unwrap()
            .after(now * 1000)
            .map(|at| at / 1000)
    }

    #[test]
    fn the_next_minute_is_strictly_later() {
        assert_eq!(after("* * * * *", 0), Some(60));
        assert_eq!(after("* * * * *", 59), Some(60));
        assert_eq!(after("*/15 * * * *", 60), Some(900));
    }

    #[test]
    fn leap_days_and_days_that_never_come() {
        assert_eq!(after("0 0 29 2 *", 1_709_164_800), Some(1_835_395_200)); // 2024 to 2028
        assert_eq!(after("0 0 30 2 *", 0), None);
    }

    #[test]
    fn either_day_fits_when_both_are_restricted() {
        // 1 January 1970 is a Thursday; the 2nd is a Friday.
        assert_eq!(after("0 0 13 * fri", 0), Some(86_400));
        assert_eq!(after("0 0 */2 * fri", 0), Some(8 * 86_400)); // Friday, and an odd day
        assert_eq!(after("0 0 * * 7", 0), Some(3 * 86_400));
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        for (line, why) in [
            (
                "* * * *",
                "a schedule has 5 fields (minute hour day month weekday), got 4",
            ),
            (
                "60 * * * *",
                "minute: expected numbers from 0 to 59 in '60'",
            ),
            ("* 5-1 * * *", "hour: the range in '5-1' runs backwards"),
            (
                "*/0 * * * *",
                "minute: expected numbers from 1 to 59 in '*/0'",
            ),
        ] {
            assert_eq!(Cron::parse(line).unwrap_err().to_string(), why);
        }
    }
}
