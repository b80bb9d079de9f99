//! Regular expressions of Python in the syntax of the crates `regex` and `fancy-regex`.

use std::{iter::Peekable, str::Chars};

use label_studio_ml::anyhow::{self, Context, bail, ensure};

/// `\w` and `\s` of Python, inside of a class.
const WORD: &str = r"\p{L}\p{N}_";
const SPACE: &str = r"\s\x1c-\x1f";
/// Surrogates have no place in a Rust text; a range that ends in them is cut.
const FIRST_SURROGATE: u32 = 0xd800;
const BEFORE_SURROGATES: u32 = 0xd7ff;
const LAST_SURROGATE: u32 = 0xdfff;
const BEHIND_SURROGATES: u32 = 0xe000;

/// One of the alternatives of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative {
    /// It in Rust's syntax.
    pub(super) pattern: String,
    /// Whether it looks at what is around its match, or refers back.
    pub(super) looks_around: bool,
}

/// Translates an expression, and splits it into its alternatives.
pub(super) fn translate(pattern: &str) -> anyhow::Result<Vec<Alternative>> {
    Translator {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len()),
        flags: String::new(),
        looks_around: false,
        n_open: 0,
    }
    .run()
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// Flags of the whole expression.
    flags: String,
    looks_around: bool,
    n_open: usize,
}

impl Translator<'_> {
    fn run(mut self) -> anyhow::Result<Vec<Alternative>> {
        let mut alternatives = Vec::new();
        while let Some(character) = self.rest.next() {
            match character {
                '|' if self.n_open == 0 => alternatives.push(self.take()),
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => {
                    self.n_open = self
                        .n_open
                        .checked_sub(1)
                        .context("a bracket is not opened")?;
                    self.out.push(')');
                }
                '$' => self.out.push_str(r"\z"),
                '{' => self.braces(),
                '^' | '.' | '*' | '+' | '?' | '|' => self.out.push(character),
                _ => self.literal(character),
            }
        }
        if self.n_open > 0 {
            bail!("a bracket is not closed");
        }
        alternatives.push(self.take());
        Ok(alternatives)
    }

    /// Ends an alternative.
    fn take(&mut self) -> Alternative {
        Alternative {
            pattern: format!("{}{}", self.flags, std::mem::take(&mut self.out)),
            looks_around: std::mem::take(&mut self.looks_around),
        }
    }

    fn literal(&mut self, character: char) {
        self.out.push_str(&quoted(character));
    }

    /// Translates what follows a bracket that opens.
    fn group(&mut self) -> anyhow::Result<()> {
        if self.rest.next_if_eq(&'?').is_none() {
            self.n_open += 1;
            self.out.push('(');
            return Ok(());
        }
        let kind = self.rest.next().context("a group has no kind")?;
        match kind {
            ':' => self.out.push_str("(?:"),
            '=' | '!' => {
                self.looks_around = true;
                self.out.extend(["(?", if kind == '=' { "=" } else { "!" }]);
            }
            '<' => {
                let kind = self.rest.next().context("a group has no kind")?;
                if !matches!(kind, '=' | '!') {
                    bail!("(?<{kind} is not known");
                }
                self.looks_around = true;
                self.out
                    .extend(["(?<", if kind == '=' { "=" } else { "!" }]);
            }
            'P' => {
                if self.rest.next() != Some('<') {
                    bail!("references to named groups are not supported");
                }
                self.out.push_str("(?P<");
                for character in self.rest.by_ref() {
                    self.out.push(character);
                    if character == '>' {
                        break;
                    }
                }
            }
            _ => return self.flags(kind),
        }
        self.n_open += 1;
        Ok(())
    }

    /// Translates flags: `(?i)` for the whole expression, `(?i:` for a group.
    fn flags(&mut self, first: char) -> anyhow::Result<()> {
        let mut flags = String::new();
        let mut next = Some(first);
        loop {
            match next.context("flags are not closed")? {
                // The default.
                'u' => {}
                flag @ ('i' | 'm' | 's' | '-') => flags.push(flag),
                ')' => {
                    if !flags.is_empty() {
                        self.flags.extend(["(?", &flags, ")"]);
                    }
                    return Ok(());
                }
                ':' => {
                    self.out.extend(["(?", &flags, ":"]);
                    self.n_open += 1;
                    return Ok(());
                }
                other => bail!("the flag {other} is not supported"),
            }
            next = self.rest.next();
        }
    }

    /// Translates a quantifier, or a brace that stands for itself.
    fn braces(&mut self) {
        let ahead: String = self.rest.clone().take_while(|next| *next != '}').collect();
        let is_closed = self.rest.clone().nth(ahead.chars().count()) == Some('}');
        let (low, high) = ahead.split_once(',').unwrap_or((&ahead, &ahead));
        let is_count = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_closed || !is_count(low) || !is_count(high) || (low.is_empty() && high.is_empty()) {
            self.literal('{');
            return;
        }
        let low = if low.is_empty() { "0" } else { low };
        let comma = if ahead.contains(',') { "," } else { "" };
        let high = if comma.is_empty() { "" } else { high };
        self.out.extend(["{", low, comma, high, "}"]);
        let skipped = ahead.chars().count() + 1;
        self.rest.by_ref().take(skipped).for_each(drop);
    }

    /// Translates what follows a backslash outside of a class.
    fn escape(&mut self) -> anyhow::Result<()> {
        let escaped = self.rest.next().context("a backslash ends it")?;
        match escaped {
            'w' => self.out.extend(["[", WORD, "]"]),
            'W' => self.out.extend(["[^", WORD, "]"]),
            's' => self.out.extend(["[", SPACE, "]"]),
            'S' => self.out.extend(["[^", SPACE, "]"]),
            'd' | 'D' | 'b' | 'B' | 'A' => self.out.extend(['\\', escaped]),
            'Z' => self.out.push_str(r"\z"),
            '1'..='9' => bail!("references to groups are not supported"),
            _ => {
                let code = self.code(escaped)?;
                let character = char::from_u32(code).context("a surrogate stands alone")?;
                self.literal(character);
            }
        }
        Ok(())
    }

    /// Translates a class, whose bracket has been read.
    fn class(&mut self) -> anyhow::Result<()> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let character = self.rest.next().context("a class is not closed")?;
            if character == ']' && !is_first {
                break;
            }
            is_first = false;
            let Some(first) = self.member(character)? else {
                continue;
            };
            let mut ahead = self.rest.clone();
            let is_range =
                ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
            if !is_range {
                if let Some(character) = char::from_u32(first) {
                    self.out.push_str(&quoted(character));
                }
                continue;
            }
            self.rest.next();
            let character = self.rest.next().context("a range is not closed")?;
            let last = self.member(character)?.context("a range ends in a class")?;
            self.range(first, last)?;
        }
        self.out.push(']');
        Ok(())
    }

    /// Reads a member of a class; writes it and returns nothing if it is a class itself.
    fn member(&mut self, character: char) -> anyhow::Result<Option<u32>> {
        if character != '\\' {
            return Ok(Some(u32::from(character)));
        }
        let escaped = self.rest.next().context("a backslash ends it")?;
        match escaped {
            'w' => self.out.push_str(WORD),
            's' => self.out.push_str(SPACE),
            'd' | 'D' | 'W' | 'S' => self.out.extend(['\\', escaped]),
            'b' => return Ok(Some(8)),
            _ => return self.code(escaped).map(Some),
        }
        Ok(None)
    }

    fn range(&mut self, mut first: u32, mut last: u32) -> anyhow::Result<()> {
        if (FIRST_SURROGATE..=LAST_SURROGATE).contains(&first) {
            first = BEHIND_SURROGATES;
        }
        if (FIRST_SURROGATE..=LAST_SURROGATE).contains(&last) {
            last = BEFORE_SURROGATES;
        }
        if first > last {
            return Ok(());
        }
        let [first, last] = [first, last].map(char::from_u32);
        let (first, last) = first.zip(last).context("a range ends behind Unicode")?;
        self.out
            .extend([quoted(first).as_str(), "-", &quoted(last)]);
        Ok(())
    }

    /// Returns the character of an escape.
    fn code(&mut self, escaped: char) -> anyhow::Result<u32> {
        let n_digits = match escaped {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            'n' => return Ok(0x0a),
            't' => return Ok(0x09),
            'r' => return Ok(0x0d),
            'f' => return Ok(0x0c),
            'v' => return Ok(0x0b),
            'a' => return Ok(0x07),
            '0' => return Ok(0),
            _ if escaped.is_ascii_alphabetic() => bail!("\\{escaped} is not known"),
            _ => return Ok(u32::from(escaped)),
        };
        let digits: String = self.rest.by_ref().take(n_digits).collect();
        ensure!(
            digits.chars().count() == n_digits,
            "\\{escaped}{digits} is cut short"
        );
        u32::from_str_radix(&digits, 16)
            .with_context(|| format!("\\{escaped}{digits} is no character"))
    }
}

/// Returns a character that stands for itself, outside and inside of classes.
fn quoted(character: char) -> String {
    if character.is_ascii_alphanumeric() || !character.is_ascii() {
        return character.to_string();
    }
    format!("\\x{:02x}", u32::from(character))
}

#[cfg(test)]
mod tests {
    use super::translate;

    fn only(pattern: &str) -> String {
        let mut alternatives = translate(pattern).unwrap();
        assert_eq!(alternatives.len(), 1, "{alternatives:?}");
        alternatives.remove(0).pattern
    }

    #[test]
    fn translates_what_differs() {
        let check = |python: &str, rust: &str| assert_eq!(only(python), rust, "{python}");
        check(r"(?u)^a\'$", r"^a\x27\z");
        check(r"[\w\-&&[]+", r"[\p{L}\p{N}_\x2d\x26\x26\x5b]+");
        check(r"[]a-]", r"[\x5da\x2d]");
        check(r"[^+--]{,3}", r"[^\x2b-\x2d]{0,3}");
        check(r"\S{2,63}x{4}", r"[^\s\x1c-\x1f]{2,63}x{4}");
        check(r"{a}{", r"\x7ba\x7d\x7b");
        check(r"[\u00a1-\uffff\U0001F600]", "[\u{a1}-\u{ffff}\u{1f600}]");
        check(r"[a-\ud900]", "[a-\u{d7ff}]");
        check(r"(?i:k(?P<n>m))", r"(?i:k(?P<n>m))");
        check(r"\s\d\Z", r"[\s\x1c-\x1f]\d\z");
    }

    #[test]
    fn splits_alternatives_that_look_around() {
        let found = translate(r"(?i)(a|b)|[|]|(?<=\d)km$").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|part| (part.pattern.as_str(), part.looks_around))
            .collect();
        let expected = [
            ("(?i)(a|b)", false),
            (r"(?i)[\x7c]", false),
            (r"(?i)(?<=\d)km\z", true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn refuses_what_has_no_translation() {
        for pattern in [
            "(a", "a)", "[a", "\\", r"(a)\1", r"(?P=n)", r"\q", "(?x)a", r"\u12",
        ] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
