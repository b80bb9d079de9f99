//! Times by a `timeFormat`, as the editor of Label Studio reads them with `d3.utcParse`.

use time::{Date, Month};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];
/// Characters of the short form of a month and a weekday.
const SHORT_NAME: usize = 3;

/// A pattern of `strftime` directives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFormat {
    items: Vec<Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Literal(char),
    Directive(char),
}

/// What was read so far. What a text does not say is as in d3: midnight, and January 1, 1900.
#[derive(Debug)]
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    microsecond: i64,
    is_afternoon: Option<bool>,
    day_of_year: Option<i64>,
    /// East of Greenwich.
    offset_minutes: i64,
    since_epoch: Option<i64>,
}

impl TimeFormat {
    /// Reads a pattern; `None` when it has a directive that is not known here, such as the number of
    /// a week.
    pub fn parse(pattern: &str) -> Option<Self> {
        let mut items = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                items.push(Item::Literal(c));
                continue;
            }
            let mut directive = chars.next()?;
            if matches!(directive, '-' | '_' | '0') {
                directive = chars.next()?;
            }
            match directive {
                '%' => items.push(Item::Literal('%')),
                'x' => items.extend(Self::parse("%m/%d/%Y")?.items),
                'X' => items.extend(Self::parse("%I:%M:%S %p")?.items),
                'c' => items.extend(Self::parse("%m/%d/%Y, %I:%M:%S %p")?.items),
                'Y' | 'y' | 'm' | 'd' | 'e' | 'H' | 'I' | 'M' | 'S' | 'L' | 'f' | 'p' | 'b'
                | 'B' | 'a' | 'A' | 'j' | 'Z' | 'Q' | 's' => items.push(Item::Directive(directive)),
                _ => return None,
            }
        }
        Some(Self { items })
    }

    /// Returns the microseconds since 1970 that a text means; `None` when it does not fit.
    pub fn read(&self, text: &str) -> Option<i64> {
        let mut fields = Fields::default();
        let mut rest = text;
        for item in &self.items {
            rest = match item {
                Item::Literal(c) => rest.strip_prefix(*c)?,
                Item::Directive(directive) => fields.read(*directive, rest)?,
            };
        }
        if rest.is_empty() {
            return fields.microseconds();
        }
        None
    }
}

/// Returns the microseconds since 1970 of a date, or a date and a time, of ISO 8601; `None` when the
/// text is something else.
pub fn read_iso(text: &str) -> Option<i64> {
    let mut fields = Fields::default();
    let rest = fields.read('Y', text)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '-' | '/'))?;
    let rest = fields.read('m', rest.strip_prefix(separator)?)?;
    let rest = fields.read('d', rest.strip_prefix(separator)?)?;
    if rest.is_empty() {
        return fields.microseconds();
    }
    let rest = fields.read('H', rest.strip_prefix(['T', 't', ' '])?)?;
    let mut rest = fields.read('M', rest.strip_prefix(':')?)?;
    if let Some(seconds) = rest.strip_prefix(':') {
        rest = fields.read('S', seconds)?;
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            rest = fields.read('f', fraction)?;
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }
    let rest = rest.trim_start();
    if !rest.is_empty() && !fields.read('Z', rest)?.is_empty() {
        return None;
    }
    fields.microseconds()
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            year: 1900,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            microsecond: 0,
            is_afternoon: None,
            day_of_year: None,
            offset_minutes: 0,
            since_epoch: None,
        }
    }
}

impl Fields {
    /// Reads what a directive means from the start of a text, and returns the rest.
    fn read<'a>(&mut self, directive: char, text: &'a str) -> Option<&'a str> {
        if let 'L' | 'f' = directive {
            let (fraction, rest) = fraction(text, if directive == 'L' { 3 } else { 6 })?;
            self.microsecond = fraction;
            return Some(rest);
        }
        if let 'b' | 'B' | 'a' | 'A' | 'p' | 'Z' = directive {
            return self.read_name(directive, text);
        }
        let max_digits = match directive {
            'Y' => 4,
            'j' => 3,
            'Q' | 's' => 18,
            _ => 2,
        };
        let (number, rest) = number(text, max_digits)?;
        match directive {
            'Y' => self.year = number,
            'y' => self.year = number + if number > 68 { 1900 } else { 2000 },
            'm' => self.month = number,
            'd' | 'e' => self.day = number,
            'H' | 'I' => self.hour = number,
            'M' => self.minute = number,
            'S' => self.second = number,
            'j' => self.day_of_year = Some(number),
            'Q' => self.since_epoch = Some(number.checked_mul(1000)?),
            _ => self.since_epoch = Some(number.checked_mul(1_000_000)?),
        }
        Some(rest)
    }

    fn read_name<'a>(&mut self, directive: char, text: &'a str) -> Option<&'a str> {
        match directive {
            'B' | 'b' => {
                let (place, rest) = name(text, &MONTHS, directive == 'b')?;
                self.month = i64::try_from(place).ok()? + 1;
                Some(rest)
            }
            'A' | 'a' => Some(name(text, &WEEKDAYS, directive == 'a')?.1),
            'p' => {
                let (place, rest) = name(text, &["am", "pm"], false)?;
                self.is_afternoon = Some(place == 1);
                Some(rest)
            }
            _ => {
                let (offset, rest) = offset(text)?;
                self.offset_minutes = offset;
                Some(rest)
            }
        }
    }

    fn microseconds(&self) -> Option<i64> {
        if self.since_epoch.is_some() {
            return self.since_epoch;
        }
        let hour = match self.is_afternoon {
            Some(is_afternoon) => self.hour % 12 + if is_afternoon { 12 } else { 0 },
            None => self.hour,
        };
        // A leap second counts as the second behind it.
        let is_time = hour <= 24 && self.minute < 60 && self.second <= 60;
        let year = i32::try_from(self.year).ok()?;
        let date = if let Some(day) = self.day_of_year {
            Date::from_ordinal_date(year, day.try_into().ok()?)
        } else {
            let month = Month::try_from(u8::try_from(self.month).ok()?).ok()?;
            Date::from_calendar_date(year, month, self.day.try_into().ok()?)
        };
        let epoch = Date::from_ordinal_date(1970, 1).ok()?.to_julian_day();
        let days = i64::from(date.ok()?.to_julian_day() - epoch);
        let minutes = (days * 24 + hour) * 60 + self.minute - self.offset_minutes;
        is_time.then_some((minutes * 60 + self.second) * 1_000_000 + self.microsecond)
    }
}

/// Reads a number of up to so many digits, with blanks before it.
fn number(text: &str, max_digits: usize) -> Option<(i64, &str)> {
    let text = text.trim_start();
    let n_digits = n_digits(text, max_digits);
    let (digits, rest) = text.split_at(n_digits);
    Some((digits.parse().ok()?, rest))
}

/// Reads digits behind a decimal point, as microseconds.
fn fraction(text: &str, max_digits: usize) -> Option<(i64, &str)> {
    let n_digits = n_digits(text, max_digits);
    let (digits, rest) = text.split_at(n_digits);
    let missing = u32::try_from(6 - n_digits).ok()?;
    Some((digits.parse::<i64>().ok()? * 10_i64.pow(missing), rest))
}

fn n_digits(text: &str, max_digits: usize) -> usize {
    let digits = text.bytes().take(max_digits);
    digits.take_while(u8::is_ascii_digit).count()
}

/// Reads one of several names, without regard to case, and returns which.
fn name<'a>(text: &'a str, names: &[&str], is_short: bool) -> Option<(usize, &'a str)> {
    names.iter().enumerate().find_map(|(place, name)| {
        let name = if is_short { &name[..SHORT_NAME] } else { name };
        let start = text.get(..name.len())?;
        let rest = &text[name.len()..];
        start.eq_ignore_ascii_case(name).then_some((place, rest))
    })
}

/// Reads `Z`, `+02`, `+0200` or `+02:00`, as minutes.
fn offset(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return Some((0, rest));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let digits = &text[text.chars().next()?.len_utf8()..];
    let (hours, rest) = digits.split_at_checked(2)?;
    let hours: i64 = hours.parse().ok()?;
    let minutes = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = match number(minutes, 2) {
        Some((minutes, rest)) => (minutes, rest),
        None => (0, rest),
    };
    Some((sign * (hours * 60 + minutes), rest))
}

#[cfg(test)]
mod tests {
    use super::{TimeFormat, read_iso};

    const SECOND: i64 = 1_000_000;

    #[test]
    fn times_are_read_by_their_format() {
        let day = 18_262 * 86_400 * SECOND;
        let cases = [
            ("%Y-%m-%d", "2020-01-01", Some(day)),
            (
                "%m/%d/%Y %H:%M:%S",
                "01/01/2020 00:01:02",
                Some(day + 62 * SECOND),
            ),
            ("%d.%m.%y", "1.1.20", Some(day)),
            (
                "%Y-%m-%dT%H:%M:%S.%L%Z",
                "2020-01-01T02:00:00.5+02:00",
                Some(day + SECOND / 2),
            ),
            (
                "%Y-%m-%d %H:%M:%S.%f",
                "2020-01-01 00:00:00.000007",
                Some(day + 7),
            ),
            (
                "%b %e, %Y %I:%M %p",
                "Jan  1, 2020 12:30 AM",
                Some(day + 1800 * SECOND),
            ),
            ("%A, %B %d, %Y", "wednesday, january 01, 2020", Some(day)),
            ("%Y %j", "2020 001", Some(day)),
            ("%Q", "1577836800000", Some(day)),
            ("%s", "1577836800", Some(day)),
            ("%%%Y", "%2020", Some(day)),
            (
                "%H:%M",
                "00:01",
                Some(-25_567 * 86_400 * SECOND + 60 * SECOND),
            ),
            ("%Y-%m-%d", "2020-13-01", None),
            ("%Y-%m-%d", "2021-02-29", None),
            ("%Y-%m-%d", "2020-01-01 10:00", None),
            ("%Y-%m-%d", "", None),
            ("%B", "ja\u{301}nuary", None),
        ];
        for (pattern, text, expected) in cases {
            let format = TimeFormat::parse(pattern).unwrap();
            assert_eq!(format.read(text), expected, "{pattern} {text}");
        }
        assert_eq!(TimeFormat::parse("%U"), None);
        assert_eq!(TimeFormat::parse("%"), None);
    }

    #[test]
    fn dates_and_times_of_iso_are_recognised() {
        let day = 18_262 * 86_400 * SECOND;
        for (text, expected) in [
            ("2020-01-01", Some(day)),
            ("2020/01/01", Some(day)),
            ("2020-01-01T00:01", Some(day + 60 * SECOND)),
            (
                "2020-01-01 00:00:01.123456789Z",
                Some(day + SECOND + 123_456),
            ),
            ("2020-01-01T01:00:00+0100", Some(day)),
            ("2020-01-01T00:00:00 -01", Some(day + 3600 * SECOND)),
            ("2020-01", None),
            ("2020-01-01T", None),
            ("2020-01-01x", None),
            ("12", None),
            ("", None),
        ] {
            assert_eq!(read_iso(text), expected, "{text}");
        }
    }
}
