//! JSON as Python reads it: with numbers that JSON does not have, and with halves of surrogate pairs.

/// Numbers that JSON does not have.
const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
/// Length of an escape like `\ud800`.
const ESCAPE: usize = 6;
/// Longest number that is too short to overflow: `1e99`.
const SHORT_NUMBER: usize = 4;

/// Returns `text` as JSON that other readers than Python's `json` module accept; `None` when they accept it as it is.
///
/// Half of a surrogate pair (`"\ud800"`) becomes U+FFFD. `NaN`, `Infinity`, `-Infinity`, and numbers too large for 64
/// bits (`1e999`) become null. Meant for texts that could not be read as they are: one character of one task must not
/// cost all tasks sent with it.
///
/// ```
/// use label_studio_sdk::python::repair_json;
///
/// let json = repair_json(r#"{"text": "\ud83d", "score": NaN}"#);
/// assert_eq!(json.as_deref(), Some(r#"{"text": "\ufffd", "score": null}"#));
/// assert_eq!(repair_json(r#"{"text": "\ud83d\ude00 NaN"}"#), None);
/// ```
pub fn repair_json(text: &str) -> Option<String> {
    let mut repaired = Repaired {
        text,
        json: String::new(),
        n_copied: 0,
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'"' => repaired.string(at),
            b'N' | b'I' | b'-' | b'0'..=b'9' => repaired.number(at),
            _ => 1,
        };
    }
    repaired.end()
}

/// A text of which parts are replaced.
struct Repaired<'a> {
    text: &'a str,
    json: String,
    n_copied: usize,
}

impl Repaired<'_> {
    /// Goes through the number, or the word for one, that starts at `start`, and returns its length.
    fn number(&mut self, start: usize) -> usize {
        let rest = &self.text[start..];
        if let Some(word) = WORDS.iter().find(|word| rest.starts_with(**word)) {
            return self.replace(start, word.len(), "null");
        }
        let is_after = |c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        let len = rest.find(is_after).unwrap_or(rest.len());
        if is_infinite(&rest[..len]) {
            self.replace(start, len, "null")
        } else {
            len.max(1)
        }
    }

    /// Goes through the string that starts at `start`, and returns its length.
    fn string(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        while let Some(&byte) = bytes.get(at) {
            at += match byte {
                b'"' => return at + 1 - start,
                b'\\' => self.escape(at),
                _ => 1,
            };
        }
        bytes.len() - start
    }

    /// Goes through the escape, or the pair of them, at `start`, and returns its length.
    fn escape(&mut self, start: usize) -> usize {
        let rest = &self.text.as_bytes()[start..];
        let Some(half) = Half::read(rest) else {
            return 2;
        };
        let next = Half::read(&rest[ESCAPE..]);
        match (half, next) {
            (Half::First, Some(Half::Second)) => 2 * ESCAPE,
            _ => self.replace(start, ESCAPE, "\\ufffd"),
        }
    }

    /// Puts `json` in the place of `len` bytes, and returns `len`.
    fn replace(&mut self, at: usize, len: usize, json: &str) -> usize {
        self.json.push_str(&self.text[self.n_copied..at]);
        self.json.push_str(json);
        self.n_copied = at + len;
        len
    }

    fn end(mut self) -> Option<String> {
        if self.n_copied == 0 {
            return None;
        }
        self.json.push_str(&self.text[self.n_copied..]);
        Some(self.json)
    }
}

/// Half of a surrogate pair.
enum Half {
    First,
    Second,
}

impl Half {
    /// Reads an escape like `\ud800` at the start of `text`.
    fn read(text: &[u8]) -> Option<Self> {
        let [b'\\', b'u', digits @ ..] = text.get(..ESCAPE)? else {
            return None;
        };
        let digits = std::str::from_utf8(digits).ok()?;
        match u16::from_str_radix(digits, 16).ok()? {
            0xd800..=0xdbff => Some(Self::First),
            0xdc00..=0xdfff => Some(Self::Second),
            _ => None,
        }
    }
}

fn is_infinite(number: &str) -> bool {
    number.len() > SHORT_NUMBER && number.parse::<f64>().is_ok_and(f64::is_infinite)
}
