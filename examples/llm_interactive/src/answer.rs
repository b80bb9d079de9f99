//! From what the model says to regions.

use std::collections::HashSet;

use label_studio_ml::{Map, Region, Task, Value, json, match_labels, sdk::similarity_ratio};

use crate::outputs::{Output, OutputKind, Outputs};

/// Most lines of an answer that are matched with labels. A model that repeats itself writes more.
const MAX_LINES: usize = 1000;
/// Bytes of an answer that are matched with labels.
const MAX_MATCHED_BYTES: usize = 1 << 20;
const CUT: &str = "The answer was cut off: it reached the limit of tokens, or time ran out.";

/// Regions of plain answers: each control reads its value from the first one, text areas get all.
pub(crate) fn from_texts(outputs: &Outputs<'_>, task: &Task, texts: &[String]) -> Vec<Region> {
    let Some(first) = texts.first() else {
        return Vec::new();
    };
    let region = |field: &Output<'_>| {
        let value = match &field.kind {
            OutputKind::TextArea => json!({ "text": texts }),
            _ => value_in_text(field, task, first)?,
        };
        Some(outputs.region(field, value))
    };
    outputs.fields.iter().filter_map(region).collect()
}

/// Regions of structured answers, objects with a field for each control: labels and numbers from the first answer, texts
/// from all.
pub(crate) fn from_objects(
    outputs: &Outputs<'_>,
    task: &Task,
    objects: &[Map<String, Value>],
) -> Vec<Region> {
    let region = |field: &Output<'_>| {
        let mut answers = objects
            .iter()
            .filter_map(|object| object.get(&field.control.name));
        let value = match &field.kind {
            OutputKind::TextArea => json!({ "text": answers.flat_map(texts).collect::<Vec<_>>() }),
            _ => value_in_json(field, task, answers.next()?)?,
        };
        Some(outputs.region(field, value))
    };
    outputs.fields.iter().filter_map(region).collect()
}

/// Says in the texts of a prediction that they were cut off.
pub(crate) fn mark_as_cut(regions: &mut [Region]) {
    for region in regions
        .iter_mut()
        .filter(|region| region.kind == "textarea")
    {
        region
            .extra
            .insert("meta".to_owned(), json!({ "text": [CUT] }));
    }
}

impl Outputs<'_> {
    fn region(&self, field: &Output<'_>, value: Value) -> Region {
        let control = field.control;
        Region::new(&control.name, &self.object.name, control.kind(), value).with_new_id()
    }

    /// Returns the region that shows the prompt again.
    pub(crate) fn prompt_region(&self, lines: &[String]) -> Region {
        let value = json!({ "text": lines });
        Region::new(
            &self.prompt.name,
            &self.object.name,
            self.prompt.kind(),
            value,
        )
        .with_new_id()
    }
}

fn value_in_text(field: &Output<'_>, task: &Task, text: &str) -> Option<Value> {
    match &field.kind {
        OutputKind::Choices { is_single } => {
            let labels = field.labels(task).unwrap_or_default();
            Some(json!({ "choices": matched(text, &labels, *is_single) }))
        }
        OutputKind::Taxonomy {
            names, is_single, ..
        } => {
            let matched = matched(text, names, *is_single);
            Some(chosen_paths(&field.kind, matched.into_iter()))
        }
        OutputKind::Rating { max } => rating(first_number(text)?, *max),
        OutputKind::Number { min, max } => number(first_number(text)?, *min, *max),
        OutputKind::TextArea => Some(json!({ "text": [text] })),
    }
}

fn value_in_json(field: &Output<'_>, task: &Task, answer: &Value) -> Option<Value> {
    let numeric = || answer.as_f64().or_else(|| first_number(answer.as_str()?));
    match &field.kind {
        OutputKind::Choices { is_single } => {
            let labels = field.labels(task).unwrap_or_default();
            Some(json!({ "choices": named(answer, &labels, *is_single) }))
        }
        OutputKind::Taxonomy {
            names, is_single, ..
        } => {
            let named = named(answer, names, *is_single);
            Some(chosen_paths(&field.kind, named.into_iter()))
        }
        OutputKind::Rating { max } => rating(numeric()?, *max),
        OutputKind::Number { min, max } => number(numeric()?, *min, *max),
        OutputKind::TextArea => Some(json!({ "text": texts(answer) })),
    }
}

/// Matches each line of a text with a label; where only one may be chosen, the line that is most like its label decides.
fn matched<'a>(text: &str, labels: &'a [String], is_single: bool) -> Vec<&'a str> {
    // A label with a line break is never a line.
    if let Some(label) = labels.iter().find(|label| *label == text.trim()) {
        return vec![label];
    }
    let lines = first_lines(text);
    let matched = match_labels(lines, labels);
    if !is_single || matched.len() < 2 {
        return matched;
    }
    let mut best: Option<(f64, &str)> = None;
    for line in lines.lines() {
        for label in match_labels(line, labels) {
            let ratio = similarity_ratio(line, label);
            if best.is_none_or(|(known, _)| ratio > known) {
                best = Some((ratio, label));
            }
        }
    }
    best.map(|(_, label)| label).into_iter().collect()
}

fn first_lines(text: &str) -> &str {
    let mut end = text.len().min(MAX_MATCHED_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let end = text.match_indices('\n').nth(MAX_LINES - 1);
    end.map_or(text, |(at, _)| &text[..at])
}

/// Reads the labels of a structured answer, without duplicates. A label that does not exist is taken for the one most
/// like it.
fn named<'a>(answer: &Value, labels: &'a [String], is_single: bool) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    let named = texts(answer)
        .into_iter()
        .take(MAX_LINES)
        .filter_map(|text| {
            let exact = labels.iter().find(|label| **label == text);
            exact
                .map(String::as_str)
                .or_else(|| matched(&text, labels, true).first().copied())
        });
    let distinct = named.filter(|label| seen.insert(*label));
    distinct
        .take(if is_single { 1 } else { usize::MAX })
        .collect()
}

fn chosen_paths<'a>(kind: &OutputKind, chosen: impl Iterator<Item = &'a str>) -> Value {
    let OutputKind::Taxonomy { paths, names, .. } = kind else {
        return Value::Null;
    };
    let mut taxonomy: Vec<&Vec<String>> = Vec::new();
    for name in chosen {
        let path = names
            .iter()
            .position(|known| known == name)
            .map(|idx| &paths[idx]);
        taxonomy.extend(path.filter(|path| !taxonomy.contains(path)));
    }
    json!({ "taxonomy": taxonomy })
}

/// Reads a text or a list of texts; numbers and truth values are texts, too.
fn texts(answer: &Value) -> Vec<String> {
    match answer {
        Value::Null | Value::Object(_) => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Bool(_) | Value::Number(_) => vec![answer.to_string()],
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the number is rounded and within its bounds"
)]
fn rating(number: f64, max: u64) -> Option<Value> {
    let rounded = number.round();
    if !(1.0..=max as f64).contains(&rounded) {
        tracing::warn!(
            max,
            "the answer is no rating from 1 to the most stars, so none is given"
        );
        return None;
    }
    Some(json!({ "rating": rounded as u64 }))
}

fn number(number: f64, min: Option<f64>, max: Option<f64>) -> Option<Value> {
    let fits = min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
    if !fits {
        tracing::warn!("the answer is a number outside of min and max, so none is given");
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number is whole and small"
    )]
    let value = if number.fract() == 0.0 && number.abs() < 1e15 {
        json!(number as i64)
    } else {
        json!(number)
    };
    Some(json!({ "number": value }))
}

/// Finds the first number in a text: `-3`, `4.5`, `1,234,567.8`.
fn first_number(text: &str) -> Option<f64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let number = text[start..]
        .split(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
        .next()?;
    let mut groups = number.trim_end_matches(['.', ',']).split(',');
    let mut digits = groups.next()?.to_owned();
    for group in groups {
        let (whole, _) = group.split_once('.').unwrap_or((group, ""));
        if whole.len() != 3 || digits.contains('.') {
            break;
        }
        digits.push_str(group);
    }
    let mut parts = digits.splitn(3, '.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or("0"));
    let before = &text[..start];
    let is_negative = before.ends_with(['-', '−'])
        && !before
            .trim_end_matches(['-', '−'])
            .ends_with(char::is_alphanumeric);
    let sign = if is_negative { "-" } else { "" };
    format!("{sign}{whole}.{fraction}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::first_number;

    #[test]
    fn finds_the_first_number() {
        let cases = [
            ("4", Some(4.0)),
            ("I would say 4.5 of 5.", Some(4.5)),
            ("4/5", Some(4.0)),
            ("-3 degrees", Some(-3.0)),
            ("from 2019-07", Some(2019.0)),
            ("version-7", Some(7.0)),
            ("1,234,567.8 people", Some(1_234_567.8)),
            ("1, 2 and 3", Some(1.0)),
            ("3.", Some(3.0)),
            ("1.2.3", Some(1.2)),
            ("none", None),
            ("", None),
        ];
        for (text, number) in cases {
            assert_eq!(first_number(text), number, "{text}");
        }
    }
}
