//! Templates of prompts, in the syntax of Python's `str.format`.

use std::borrow::Cow;

/// Replaces `{name}` by what `field` returns for it.
///
/// Where Python's `str.format` would succeed, the result is the same: `{{` and `}}` stand for single braces. Where it
/// would fail (a field that `field` does not know, a stray brace, an expression) only the known fields are replaced and
/// every other brace stays as it is, so that JSON in a prompt needs no care. What is put in is not looked at again.
///
/// ```
/// use label_studio_sdk::python::fill_template;
///
/// let field = |name: &str| (name == "text").then(|| "{labels}".into());
/// assert_eq!(fill_template("Read {text}", field), "Read {labels}");
/// assert_eq!(fill_template("{{\"text\": {text}}}", field), "{\"text\": {labels}}");
/// assert_eq!(fill_template("{text} as {\"n\": {1}}", field), "{labels} as {\"n\": {1}}");
/// ```
pub fn fill_template<'a>(template: &str, field: impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    formatted(template, &field).unwrap_or_else(|| with_known_fields(template, &field))
}

/// Formats as Python does; `None` where Python would fail.
fn formatted<'a>(template: &str, field: &impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, braces) = rest.split_at(at);
        text.push_str(before);
        if let Some(after) = braces
            .strip_prefix("{{")
            .or_else(|| braces.strip_prefix("}}"))
        {
            text.push_str(&braces[..1]);
            rest = after;
            continue;
        }
        let (name, after) = braces.strip_prefix('{')?.split_once('}')?;
        text.push_str(&field(name)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn with_known_fields<'a>(template: &str, field: &impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        let inside = &rest[at + 1..];
        let end = inside.find(['{', '}']);
        let known = end
            .filter(|&end| inside[end..].starts_with('}'))
            .and_then(|end| Some((field(&inside[..end])?, &inside[end + 1..])));
        if let Some((value, after)) = known {
            text.push_str(&value);
            rest = after;
        } else {
            text.push('{');
            rest = inside;
        }
    }
    text.push_str(rest);
    text
}
