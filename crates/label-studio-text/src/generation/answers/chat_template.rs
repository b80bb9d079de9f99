//! Templates that turn a conversation into a prompt.

use std::time::SystemTime;

use minijinja::{Environment, Error, ErrorKind, Value, context};
use minijinja_contrib::pycompat::unknown_method_callback;
use regex::Regex;
use serde::Serialize;
use time::{OffsetDateTime, UtcDateTime};

const NAME: &str = "chat_template";
/// Steps after which a template is stopped: they come with the model, and can hold endless loops.
const FUEL: u64 = 1_000_000;

/// Part of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Whose part it is: `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// A template that turns a conversation into a prompt.
#[derive(Debug)]
pub(in crate::generation) struct ChatTemplate {
    environment: Environment<'static>,
    /// Tokens that templates name, such as `bos_token`.
    tokens: Vec<(String, String)>,
}

impl Message {
    /// Creates what the user says.
    pub fn user(content: impl Into<String>) -> Self {
        Self {
            role: "user".to_owned(),
            content: content.into(),
        }
    }

    /// Creates what the model is told before.
    pub fn system(content: impl Into<String>) -> Self {
        Self {
            role: "system".to_owned(),
            content: content.into(),
        }
    }
}

impl ChatTemplate {
    /// Reads a template, in the setting that `transformers` gives it.
    pub(in crate::generation) fn new(
        template: &str,
        tokens: Vec<(String, String)>,
    ) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(FUEL));
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_function("raise_exception", |message: String| {
            Err::<Value, _>(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_function("strftime_now", |format: String| now(&format));
        environment.add_filter("tojson", to_json);
        environment.add_template_owned(NAME, without_marks(template))?;
        Ok(Self {
            environment,
            tokens,
        })
    }

    /// Returns the prompt of a conversation, up to where the model's answer begins.
    pub(in crate::generation) fn render(&self, messages: &[Message]) -> Result<String, Error> {
        let tokens: Value = self.tokens.iter().cloned().collect();
        let own = context! { messages, add_generation_prompt => true, ..tokens };
        self.environment.get_template(NAME)?.render(own)
    }
}

/// Takes the marks around the model's own words away, which only training reads.
fn without_marks(template: &str) -> String {
    let mark = |name: &str| Regex::new(&format!(r"\{{%(-?)\s*{name}\s*(-?)%\}}"));
    let (Ok(start), Ok(end)) = (mark("generation"), mark("endgeneration")) else {
        return template.to_owned();
    };
    let template = start.replace_all(template, "{%$1 if true $2%}");
    end.replace_all(&template, "{%$1 endif $2%}").into_owned()
}

/// Writes JSON as Python does, with blanks and without escapes.
fn to_json(value: &Value) -> Result<Value, Error> {
    let wrong = |error| Error::new(ErrorKind::BadSerialization, "no JSON").with_source(error);
    let value = serde_json::to_value(value).map_err(wrong)?;
    let mut json = String::new();
    write_json(&value, &mut json);
    Ok(Value::from_safe_string(json))
}

fn write_json(value: &serde_json::Value, json: &mut String) {
    match value {
        serde_json::Value::Array(items) => {
            json.push('[');
            for (idx, item) in items.iter().enumerate() {
                json.push_str(if idx == 0 { "" } else { ", " });
                write_json(item, json);
            }
            json.push(']');
        }
        serde_json::Value::Object(fields) => {
            json.push('{');
            for (idx, (name, value)) in fields.iter().enumerate() {
                json.push_str(if idx == 0 { "" } else { ", " });
                json.push_str(&serde_json::Value::from(name.as_str()).to_string());
                json.push_str(": ");
                write_json(value, json);
            }
            json.push('}');
        }
        other => json.push_str(&other.to_string()),
    }
}

/// Returns the time, in UTC, as a template of C's `strftime` asks for it.
fn now(format: &str) -> String {
    strftime(format, OffsetDateTime::from(SystemTime::now()).to_utc())
}

fn strftime(format: &str, time: UtcDateTime) -> String {
    let mut text = String::with_capacity(format.len() + 8);
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let (month, weekday) = (time.month().to_string(), time.weekday().to_string());
        let hour = time.hour();
        let part = match characters.next() {
            Some('Y') => time.year().to_string(),
            Some('y') => format!("{:02}", time.year().rem_euclid(100)),
            Some('m') => format!("{:02}", u8::from(time.month())),
            Some('d') => format!("{:02}", time.day()),
            Some('e') => format!("{:2}", time.day()),
            Some('j') => format!("{:03}", time.ordinal()),
            Some('B') => month,
            Some('b' | 'h') => month[..3].to_owned(),
            Some('A') => weekday,
            Some('a') => weekday[..3].to_owned(),
            Some('H') => format!("{hour:02}"),
            Some('I') => format!("{:02}", (hour + 11) % 12 + 1),
            Some('p') => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            Some('M') => format!("{:02}", time.minute()),
            Some('S') => format!("{:02}", time.second()),
            Some('F') => strftime("%Y-%m-%d", time),
            Some('T') => strftime("%H:%M:%S", time),
            Some('Z') => "UTC".to_owned(),
            Some('z') => "+0000".to_owned(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use time::UtcDateTime;

    use super::{ChatTemplate, Message, strftime};

    fn render(template: &str) -> Result<String, minijinja::Error> {
        let tokens = vec![("bos_token".to_owned(), "<s>".to_owned())];
        let messages = [Message::system("Be brief."), Message::user(" Hello ")];
        ChatTemplate::new(template, tokens)?.render(&messages)
    }

    #[test]
    fn templates_see_what_python_gives_them() {
        let cases = [
            (
                "{{ bos_token }}{% for message in messages %}\n  {%- if message['role'] == 'user' %}\n\
                 [INST] {{ message['content'].strip() }} [/INST]\n  {%- endif %}\n{% endfor %}\n",
                "<s>[INST] Hello [/INST]",
            ),
            (
                "{% generation %}{{ messages|length }}{% endgeneration %}",
                "2",
            ),
            (
                "{{ messages[0]|tojson }}",
                r#"{"role": "system", "content": "Be brief."}"#,
            ),
            (
                "{% if tools is defined and tools %}t{% else %}none{% endif %}",
                "none",
            ),
            (
                "{% for m in messages %}{% if loop.last %}{% break %}{% endif %}{{ m.role }}{% endfor %}\
                 {% if add_generation_prompt %}!{% endif %}",
                "system!",
            ),
            (
                "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
                "2",
            ),
            (
                "{{ messages[1].content.split('l')[-1].startswith('o') }}",
                "true",
            ),
        ];
        for (template, expected) in cases {
            let rendered = render(template).unwrap();
            assert_eq!(
                rendered.to_lowercase(),
                expected.to_lowercase(),
                "{template}"
            );
        }
    }

    #[test]
    fn a_template_can_refuse_and_cannot_run_for_ever() {
        let error = render("{{ raise_exception('only user roles') }}").unwrap_err();
        assert!(error.to_string().contains("only user roles"), "{error}");
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}";
        assert!(render(endless).is_err());
        assert!(render("{% if %}").is_err());
    }

    #[test]
    fn the_time_is_written_as_in_c() {
        let time = UtcDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let format = "%d %b %Y, %A %B %H:%M:%S %I%p %F %T 100%%";
        let expected = "14 Nov 2023, Tuesday November 22:13:20 10PM 2023-11-14 22:13:20 100%";
        assert_eq!(strftime(format, time), expected);
    }
}
