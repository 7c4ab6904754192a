//! How JavaScript reads a date from a text, by which Medusa takes the bounds of its date filters.
//!
//! The language defines one format, a part of ISO 8601. Everything else is up to the engine, and clients have come to
//! rely on what V8 makes of it (`Jan 1 2026`, `01/02/2026`, RFC 2822, a bare year), so this follows V8: first as far
//! as the defined format goes, then word by word. Agreement is tested on texts that Node has read, see
//! `fixtures/dates.js`. Local time is UTC.

use stheno_store::Bound;

use super::javascript_number::{self, is_white_space};

/// The furthest time from 1970, in milliseconds, that a JavaScript date can hold (ECMA-262, "Time Values").
const MAX_TIME: i64 = 8_640_000_000_000_000;

/// Reads the bound of a date filter as Medusa does: a date if JavaScript can read one, else a number of seconds since
/// 1970.
///
/// So `2026` is a year and `1767225600` a number of seconds, and nothing at all is 1970.
pub(super) fn parse_bound(text: &str) -> Option<Bound> {
    parse(text).or_else(|| parse_seconds(text)).map(bound)
}

/// A time in milliseconds since 1970 as a bound; most that JavaScript has are out of reach for a timestamp.
fn bound(milliseconds: i64) -> Bound {
    match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(timestamp) => Bound::At(timestamp),
        Err(_) if milliseconds < 0 => Bound::Past,
        Err(_) => Bound::Future,
    }
}

/// `new Date(Number(text) * 1000)`, in milliseconds.
fn parse_seconds(text: &str) -> Option<i64> {
    let milliseconds = javascript_number::parse(text)? * 1000.0;
    // The cast drops the fraction, as JavaScript does, and is exact within the range.
    (milliseconds.abs() <= MAX_TIME as f64).then_some(milliseconds as i64)
}

/// `new Date(text)`, in milliseconds.
fn parse(text: &str) -> Option<i64> {
    let mut tokens = Tokens::new(text);
    let mut parts = Parts::default();
    match parse_iso(&mut tokens, &mut parts) {
        Iso::Complete => {}
        Iso::Invalid => return None,
        Iso::Partial(next) => parse_legacy(next, &mut tokens, &mut parts)?,
    }
    parts.time()
}

// -- Tokens ----------------------------------------------------------------------------------------------------------

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Digits: the value of the first nine after leading zeros, and how many there are in all.
    Number(i32, usize),
    /// One of `:`, `-`, `+`, `.` and `)`.
    Symbol(u8),
    /// A word, by what it means.
    Word(Word),
    /// One white space character.
    Space,
    /// Something without a meaning, as another symbol or text in parentheses.
    Other,
    /// There is nothing left.
    End,
}

impl Token {
    /// The value of a number with just so many digits and within a range.
    fn fixed(self, digits: usize, range: std::ops::RangeInclusive<i32>) -> Option<i32> {
        match self {
            Self::Number(value, length) if length == digits && range.contains(&value) => Some(value),
            _ => None,
        }
    }

    fn sign(self) -> Option<i32> {
        match self {
            Self::Symbol(b'+') => Some(1),
            Self::Symbol(b'-') => Some(-1),
            _ => None,
        }
    }
}

/// What a word means. Only of a month the beginning is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// 1 to 12.
    Month(i32),
    /// The hours that it adds: 0 or 12.
    HalfOfDay(i32),
    /// A time zone, by its distance from UTC in hours.
    Zone(i32),
    /// The zone `Z`.
    Z,
    /// The `T` before a time.
    T,
    /// Any other.
    Unknown,
}

impl Word {
    fn new(word: &str) -> Self {
        let mut start = [0; 3];
        for (lower, byte) in start.iter_mut().zip(word.bytes()) {
            *lower = byte.to_ascii_lowercase();
        }
        match (&start, word.len()) {
            (b"jan", _) => Self::Month(1),
            (b"feb", _) => Self::Month(2),
            (b"mar", _) => Self::Month(3),
            (b"apr", _) => Self::Month(4),
            (b"may", _) => Self::Month(5),
            (b"jun", _) => Self::Month(6),
            (b"jul", _) => Self::Month(7),
            (b"aug", _) => Self::Month(8),
            (b"sep", _) => Self::Month(9),
            (b"oct", _) => Self::Month(10),
            (b"nov", _) => Self::Month(11),
            (b"dec", _) => Self::Month(12),
            (b"am\0", 2) => Self::HalfOfDay(0),
            (b"pm\0", 2) => Self::HalfOfDay(12),
            (b"ut\0", 2) | (b"utc" | b"gmt", 3) => Self::Zone(0),
            (b"edt", 3) => Self::Zone(-4),
            (b"cdt" | b"est", 3) => Self::Zone(-5),
            (b"cst" | b"mdt", 3) => Self::Zone(-6),
            (b"mst" | b"pdt", 3) => Self::Zone(-7),
            (b"pst", 3) => Self::Zone(-8),
            (b"z\0\0", 1) => Self::Z,
            (b"t\0\0", 1) => Self::T,
            _ => Self::Unknown,
        }
    }
}

/// The tokens of a text, one ahead.
struct Tokens<'t> {
    rest: &'t str,
    next: Token,
}

impl<'t> Tokens<'t> {
    fn new(text: &'t str) -> Self {
        let mut tokens = Self { rest: text, next: Token::End };
        tokens.next = tokens.scan();
        tokens
    }

    /// The next token, which stays.
    fn peek(&self) -> Token {
        self.next
    }

    fn take(&mut self) -> Token {
        let next = self.scan();
        std::mem::replace(&mut self.next, next)
    }

    /// Passes a symbol over, if it is next.
    fn skip(&mut self, symbol: u8) -> bool {
        let skips = self.next == Token::Symbol(symbol);
        if skips {
            self.take();
        }
        skips
    }

    fn scan(&mut self) -> Token {
        let Some(first) = self.rest.chars().next() else { return Token::End };
        match first {
            // V8 takes the character NUL for the end.
            '\0' => Token::End,
            '0'..='9' => {
                let digits = self.take_while(|character| character.is_ascii_digit());
                let significant = digits.trim_start_matches('0').bytes().take(9);
                let value = significant.fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
                Token::Number(value, digits.len())
            }
            '(' => {
                self.skip_parentheses();
                Token::Other
            }
            _ if is_part_of_word(first) => Token::Word(Word::new(self.take_while(is_part_of_word))),
            _ => {
                self.rest = &self.rest[first.len_utf8()..];
                match first {
                    ':' | '-' | '+' | '.' | ')' => Token::Symbol(first as u8),
                    _ if is_white_space(first) => Token::Space,
                    _ => Token::Other,
                }
            }
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let length = self.rest.find(|character| !belongs(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Goes behind the parenthesis that closes the one that is next, or to the end.
    fn skip_parentheses(&mut self) {
        let mut open = 0_usize;
        let end = self.rest.bytes().position(|byte| {
            match byte {
                b'(' => open += 1,
                b')' => open -= 1,
                _ => {}
            }
            open == 0 || byte == 0
        });
        self.rest = end.map_or("", |end| self.rest[end..].strip_prefix(')').unwrap_or(&self.rest[end..]));
    }
}

/// Letters, and all else that comes after `A`, also line ends beyond ASCII.
fn is_part_of_word(character: char) -> bool {
    character >= 'A' && (!is_white_space(character) || matches!(character, '\u{2028}' | '\u{2029}'))
}

// -- Parts -----------------------------------------------------------------------------------------------------------

/// The parts of a date, as far as they have been read.
#[derive(Debug, Default)]
struct Parts {
    day: Day,
    clock: ClockTime,
    zone: Zone,
}

impl Parts {
    /// The time that the parts make, in milliseconds since 1970, if they make one.
    fn time(self) -> Option<i64> {
        let (year, month, day) = self.day.finish()?;
        // Far outside of the range, and the sum would overflow.
        if year.abs() > 1_000_000 {
            return None;
        }
        let days = days_before_month(year, month) + i64::from(day - 1);
        let milliseconds = days * 86_400_000 + self.clock.finish()? - i64::from(self.zone.finish()?) * 1000;
        (milliseconds.abs() <= MAX_TIME).then_some(milliseconds)
    }
}

/// The days from 1970 to the first of a month (1 to 12), in the Gregorian calendar of all times.
fn days_before_month(year: i32, month: i32) -> i64 {
    // Years that begin in March end with the leap day, so that the months before it have fixed lengths.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (year, month) = (i64::from(year), i64::from(month));
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * month + 2) / 5;
    era * 146_097 + day_of_era - 719_468
}

/// Up to three numbers that stand for year, month and day; which is which shows at the end.
#[derive(Debug, Default)]
struct Day {
    numbers: [i32; 3],
    count: usize,
    named_month: Option<i32>,
    /// Year, month, day, and the year as it is written.
    iso: bool,
}

impl Day {
    fn add(&mut self, number: i32) -> Option<()> {
        *self.numbers.get_mut(self.count)? = number;
        self.count += 1;
        Some(())
    }

    /// Year, month and day. A day that its month does not have, as 30 February, is one of the next month.
    fn finish(mut self) -> Option<(i32, i32, i32)> {
        let given = self.count;
        if given == 0 {
            return None;
        }
        self.numbers[given..].fill(1);
        let [first, second, third] = self.numbers;
        let is_day = |number| (1..=31).contains(&number);
        let (year, month, day) = match self.named_month {
            None if self.iso || !is_day(first) => (first, second, third),
            None => (third, first, second),
            Some(month) if !is_day(first) => (first, month, second),
            Some(month) => (second, month, first),
        };
        let year = match year {
            0..=49 if !self.iso => year + 2000,
            50..=99 if !self.iso => year + 1900,
            _ => year,
        };
        ((1..=12).contains(&month) && is_day(day)).then_some((year, month, day))
    }
}

/// Up to four numbers: hour, minute, second, millisecond.
#[derive(Debug, Default)]
struct ClockTime {
    numbers: [i32; 4],
    count: usize,
    /// After `am` or `pm`.
    half_of_day: Option<i32>,
}

impl ClockTime {
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, number: i32) -> Option<()> {
        *self.numbers.get_mut(self.count)? = number;
        self.count += 1;
        Some(())
    }

    /// Adds the last number; what is missing after it is zero.
    fn add_last(&mut self, number: i32) -> Option<()> {
        self.add(number)?;
        self.count = self.numbers.len();
        Some(())
    }

    /// Whether `number` can be the next, after an hour.
    fn expects(&self, number: i32) -> bool {
        match self.count {
            1 | 2 => (0..=59).contains(&number),
            3 => (0..=999).contains(&number),
            _ => false,
        }
    }

    /// Milliseconds since midnight.
    fn finish(self) -> Option<i64> {
        let [mut hour, minute, second, millisecond] = self.numbers;
        if let Some(offset) = self.half_of_day {
            if !(0..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + offset;
        }
        let end_of_day = [hour, minute, second, millisecond] == [24, 0, 0, 0];
        let valid = (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && (0..1000).contains(&millisecond);
        (valid || end_of_day)
            .then(|| i64::from((hour * 60 + minute) * 60 + second) * 1000 + i64::from(millisecond))
    }
}

/// The distance from UTC.
#[derive(Debug, Default)]
struct Zone {
    sign: Option<i32>,
    hour: Option<i32>,
    minute: Option<i32>,
}

impl Zone {
    fn set(&mut self, hours: i32) {
        *self = Self { sign: Some(if hours < 0 { -1 } else { 1 }), hour: Some(hours.abs()), minute: Some(0) };
    }

    fn is_utc(&self) -> bool {
        self.hour == Some(0) && self.minute == Some(0)
    }

    /// Whether `number` can be the minutes after an hour and a colon.
    fn expects(&self, number: i32) -> bool {
        self.hour.is_some() && self.minute.is_none() && (0..=59).contains(&number)
    }

    /// Seconds ahead of UTC.
    fn finish(self) -> Option<i32> {
        let Some(sign) = self.sign else { return Some(0) };
        // V8 lets the sum overflow, so that absurd hours can end as a valid distance.
        let hours = self.hour.unwrap_or(0).cast_unsigned().wrapping_mul(3600);
        let seconds = hours.wrapping_add(self.minute.unwrap_or(0).cast_unsigned().wrapping_mul(60));
        Some(sign * i32::try_from(seconds).ok()?)
    }
}

// -- The defined format ----------------------------------------------------------------------------------------------

/// How far the defined format goes.
enum Iso {
    /// To the end.
    Complete,
    /// Up to this token, but other formats may go on from it.
    Partial(Token),
    /// To something that is no date in any format.
    Invalid,
}

/// `[(-|+)yy]yyyy[-MM[-DD]][THH:mm[:ss[.s…]][Z|(-|+)HH[:]mm]]`.
fn parse_iso(tokens: &mut Tokens<'_>, parts: &mut Parts) -> Iso {
    if let Some(sign) = tokens.peek().sign() {
        let sign_token = tokens.take();
        let Some(year) = tokens.peek().fixed(6, 0..=999_999) else {
            return Iso::Partial(sign_token);
        };
        tokens.take();
        if sign < 0 && year == 0 {
            return Iso::Partial(sign_token);
        }
        parts.day.add(sign * year);
    } else if let Some(year) = tokens.peek().fixed(4, 0..=9999) {
        tokens.take();
        parts.day.add(year);
    } else {
        return Iso::Partial(tokens.take());
    }
    for greatest in [12, 31] {
        if !tokens.skip(b'-') {
            break;
        }
        let token = tokens.take();
        let Some(number) = token.fixed(2, 1..=greatest) else {
            return Iso::Partial(token);
        };
        parts.day.add(number);
    }
    if tokens.peek() == Token::Word(Word::T) {
        // After the T there is no way back to other formats.
        tokens.take();
        if parse_iso_time(tokens, parts).is_none() {
            return Iso::Invalid;
        }
    } else if tokens.peek() != Token::End {
        return Iso::Partial(tokens.take());
    }
    parts.day.iso = true;
    Iso::Complete
}

/// `HH:mm[:ss[.s…]][Z|(-|+)HH[:]mm]` up to the end.
fn parse_iso_time(tokens: &mut Tokens<'_>, parts: &mut Parts) -> Option<()> {
    let hour = tokens.take().fixed(2, 0..=24)?;
    // Hour 24 is the end of the day and nothing after.
    let sixtieth = if hour == 24 { 0..=0 } else { 0..=59 };
    parts.clock.add(hour)?;
    tokens.skip(b':').then_some(())?;
    parts.clock.add(tokens.take().fixed(2, sixtieth.clone())?)?;
    if tokens.skip(b':') {
        parts.clock.add(tokens.take().fixed(2, sixtieth)?)?;
        if tokens.skip(b'.') {
            let Token::Number(value, length) = tokens.take() else {
                return None;
            };
            if hour == 24 && value > 0 {
                return None;
            }
            parts.clock.add(milliseconds(value, length))?;
        }
    }
    if tokens.peek() == Token::Word(Word::Z) {
        tokens.take();
        parts.zone.set(0);
    } else if let Some(sign) = tokens.peek().sign() {
        tokens.take();
        let token = tokens.take();
        let (hour, minute) = if let Some(number) = token.fixed(4, 0..=2359) {
            (number / 100, number % 100)
        } else {
            let hour = token.fixed(2, 0..=23)?;
            tokens.skip(b':').then_some(())?;
            (hour, tokens.take().fixed(2, 0..=59)?)
        };
        (minute < 60).then_some(())?;
        parts.zone = Zone { sign: Some(sign), hour: Some(hour), minute: Some(minute) };
    }
    (tokens.peek() == Token::End).then_some(())
}

/// The first three digits of a fraction of a second that is written with so many digits.
fn milliseconds(value: i32, length: usize) -> i32 {
    match length {
        1 => value * 100,
        2 => value * 10,
        3 => value,
        4 => value / 10,
        5 => value / 100,
        6 => value / 1000,
        7 => value / 10_000,
        8 => value / 100_000,
        _ => value / 1_000_000,
    }
}

// -- All other formats -----------------------------------------------------------------------------------------------

/// Goes on from `token`, word by word.
///
/// Before the first number almost anything is passed over, after it only what has no meaning. A number before `:` or
/// `.` belongs to the time, one after a sign behind the time to the zone, and any other to the day.
fn parse_legacy(mut token: Token, tokens: &mut Tokens<'_>, parts: &mut Parts) -> Option<()> {
    let mut number_seen = parts.day.count > 0;
    while token != Token::End {
        match token {
            Token::Number(number, _) => {
                number_seen = true;
                add_number(number, tokens, parts)?;
            }
            Token::Word(Word::HalfOfDay(offset)) if !parts.clock.is_empty() => {
                parts.clock.half_of_day = Some(offset);
            }
            Token::Word(Word::Month(month)) => {
                parts.day.named_month = Some(month);
                tokens.skip(b'-');
            }
            Token::Word(Word::Zone(hours)) if number_seen => parts.zone.set(hours),
            Token::Word(Word::Z) if number_seen => parts.zone.set(0),
            // A strange word, and a number that is stuck to it.
            Token::Word(_) if number_seen || matches!(tokens.peek(), Token::Number(..)) => return None,
            Token::Symbol(b'+' | b'-') if parts.zone.is_utc() || !parts.clock.is_empty() => {
                number_seen = true;
                add_offset(token.sign()?, tokens, parts)?;
            }
            Token::Symbol(b'+' | b'-' | b')') if number_seen => return None,
            _ => {}
        }
        token = tokens.take();
    }
    Some(())
}

/// Adds a number to the part that it belongs to.
fn add_number(number: i32, tokens: &mut Tokens<'_>, parts: &mut Parts) -> Option<()> {
    if tokens.skip(b':') {
        if tokens.skip(b':') {
            // `10::` is 10:00.
            parts.clock.is_empty().then_some(())?;
            parts.clock.add(number)?;
            parts.clock.add(0)?;
        } else {
            parts.clock.add(number)?;
            tokens.skip(b'.');
        }
        return Some(());
    }
    // The point is passed over in any case.
    if tokens.skip(b'.') && parts.clock.expects(number) {
        parts.clock.add(number)?;
        let Token::Number(value, length) = tokens.take() else {
            return None;
        };
        // After milliseconds there is no place for a fraction, and V8 drops it.
        let _ = parts.clock.add_last(milliseconds(value, length));
    } else if parts.zone.expects(number) {
        parts.zone.minute = Some(number);
    } else if parts.clock.expects(number) {
        parts.clock.add_last(number)?;
        let ended = matches!(
            tokens.peek(),
            Token::End | Token::Space | Token::Word(Word::Z) | Token::Symbol(b'+' | b'-')
        );
        ended.then_some(())?;
    } else {
        parts.day.add(number)?;
        tokens.skip(b'-');
    }
    Some(())
}

/// Adds a distance from UTC: `-8`, `-08`, `-800`, `-0800`, `-08:00`, or only the sign of it.
fn add_offset(sign: i32, tokens: &mut Tokens<'_>, parts: &mut Parts) -> Option<()> {
    let (number, length) = match tokens.peek() {
        Token::Number(number, length) => {
            tokens.take();
            (number, length)
        }
        _ => (0, 0),
    };
    parts.zone.sign = Some(sign);
    (parts.zone.hour, parts.zone.minute) = match length {
        _ if tokens.peek() == Token::Symbol(b':') => (Some(number), None),
        1 | 2 => (Some(number), Some(0)),
        3 | 4 => (Some(number / 100), Some(number % 100)),
        _ => return None,
    };
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Node has read: milliseconds, or null for no date.
    fn fixtures() -> Vec<(String, Option<i64>)> {
        serde_json::from_str(include_str!("fixtures/dates.json")).unwrap()
    }

    #[test]
    fn agrees_with_node() {
        let fixtures = fixtures();
        for (text, expected) in &fixtures {
            let milliseconds = parse(text).or_else(|| parse_seconds(text));
            assert_eq!(milliseconds, *expected, "{text:?}");
        }
        assert!(fixtures.len() >= 1500, "{} texts", fixtures.len());
    }

    #[test]
    fn dates_out_of_reach_lie_in_the_past_or_the_future() {
        let at = |text: &str| Some(Bound::At(text.parse().unwrap()));
        assert_eq!(parse_bound("2026-01-01"), at("2026-01-01T00:00:00Z"));
        assert_eq!(parse_bound(""), at("1970-01-01T00:00:00Z"));
        assert_eq!(parse_bound("1767225600"), at("2026-01-01T00:00:00Z"));
        assert_eq!(parse_bound("275760"), Some(Bound::Future));
        assert_eq!(parse_bound("-271821-04-20T00:00:00.000Z"), Some(Bound::Past));
        assert_eq!(parse_bound("notadate"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse_bound(&text);
        }

        #[test]
        fn no_text_like_a_date_panics(text in "[0-9TZ:+. /,()apmJjan\\-\0é]{0,40}") {
            let _ = parse_bound(&text);
        }

        #[test]
        fn no_mutation_panics(index in 0..4000_usize, at in 0..30_usize, inserted in ".{0,3}") {
            let fixtures = fixtures();
            let (text, _) = &fixtures[index % fixtures.len()];
            let (start, end) = text.split_at(text.floor_char_boundary(at));
            let _ = parse_bound(&format!("{start}{inserted}{end}"));
        }
    }
}
