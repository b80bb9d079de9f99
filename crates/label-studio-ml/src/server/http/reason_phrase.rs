//! The reason of an error in the status line: Label Studio shows a user this and not the body.

use hyper::ext::ReasonPhrase;

/// Longest reason phrase.
const MAX_CHARS: usize = 200;
/// End of a text that was cut.
const CUT: &str = "...";

/// Returns `detail` as a reason phrase: one line of printable ASCII, without credentials in URLs and
/// without the brackets of tags, which Label Studio's dialogs take for HTML (seen in 1.23.2).
pub(crate) fn reason_phrase(detail: &str) -> Option<ReasonPhrase> {
    let mut phrase = String::with_capacity(detail.len().min(MAX_CHARS));
    for word in detail.split_whitespace() {
        if !phrase.is_empty() {
            phrase.push(' ');
        }
        let printable = |c: char| if c.is_ascii_graphic() { c } else { '?' };
        let is_tag = word.contains(char::is_alphanumeric);
        let shown = |c: &char| !(is_tag && matches!(c, '<' | '>'));
        let word = without_credentials(word);
        phrase.extend(word.chars().filter(shown).map(printable));
        if phrase.len() > MAX_CHARS {
            phrase.truncate(MAX_CHARS - CUT.len());
            phrase.push_str(CUT);
            break;
        }
    }
    if phrase.is_empty() {
        return None;
    }
    ReasonPhrase::try_from(phrase.into_bytes()).ok()
}

/// Removes user and password, and the query, which may hold a signature, from a URL.
fn without_credentials(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let ellipsis = if query.is_empty() { "" } else { "?..." };
    format!("{scheme}://{host}{path}{ellipsis}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(detail: &str) -> Option<String> {
        let phrase = reason_phrase(detail)?;
        Some(String::from_utf8(phrase.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn is_one_line_of_ascii() {
        let cases = [
            (
                "label config has no <Choices> on a <Text>",
                "label config has no Choices on a Text",
            ),
            ("<img src=x> -> 3 < 4", "img src=x -> 3 < 4"),
            ("two\r\nlines\tand\u{1b}[31m", "two lines and?[31m"),
            ("naïve — 日本", "na?ve ? ??"),
        ];
        for (detail, expected) in cases {
            assert_eq!(phrase(detail).as_deref(), Some(expected));
        }
        assert_eq!(phrase(" \n"), None);
    }

    #[test]
    fn is_cut_to_two_hundred_characters() {
        let long = phrase(&"word ".repeat(100)).unwrap();
        assert_eq!(long.len(), MAX_CHARS);
        assert!(long.ends_with(CUT), "{long}");
    }

    #[test]
    fn has_no_credentials_of_urls() {
        assert_eq!(
            phrase("cannot fetch https://user:secret@bucket/a.png?X-Amz-Signature=abc: refused"),
            Some("cannot fetch https://bucket/a.png?... refused".to_owned())
        );
        assert_eq!(
            phrase("s3://bucket/a@b.png is missing").as_deref(),
            Some("s3://bucket/a@b.png is missing")
        );
    }
}
