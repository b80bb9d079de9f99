//! What the body of an error says.

use std::io::Read as _;

use serde_json::Value;
use ureq::Body;

const MAX_BYTES: u64 = 16 << 10;
/// Where servers put the sentence that says what is wrong.
const MESSAGES: [&str; 6] = [
    "/detail",
    "/error/message",
    "/errors/0/message",
    "/errorMessage",
    "/err_msg",
    "/error",
];

/// Returns what an error's body says, in one line: its message where it is JSON or XML that has one, else the text. Of an
/// HTML page, only that it was one.
pub fn error_message(body: &mut Body) -> String {
    let mut bytes = Vec::new();
    let mut reader = body.as_reader().take(MAX_BYTES);
    if let Err(error) = reader.read_to_end(&mut bytes) {
        tracing::debug!(%error, "cannot read the body of an error");
    }
    let text = String::from_utf8_lossy(&bytes);
    if text.trim_start().starts_with('<') {
        return xml_message(&text).unwrap_or_else(|| "an HTML page".to_owned());
    }
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let message = MESSAGES
        .iter()
        .find_map(|pointer| json.pointer(pointer)?.as_str());
    let words: Vec<_> = message.unwrap_or(&text).split_whitespace().collect();
    words.join(" ")
}

/// Returns code and message of an error in XML, as S3 and its like send it.
fn xml_message(text: &str) -> Option<String> {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim())
    };
    Some(format!("{}: {}", element("Code")?, element("Message")?))
}
