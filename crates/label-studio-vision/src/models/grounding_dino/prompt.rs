//! Prompts that annotators type.

use std::ops::Range;

/// Characters that end a phrase; each is a token of the model.
const SEPARATORS: [char; 2] = ['.', '?'];
/// The separator between a phrase and the label of its regions.
const LABEL_MARK: char = '_';

/// Objects to detect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text as the model reads it.
    pub caption: String,
    /// The things that it names, in order.
    pub phrases: Vec<Phrase>,
}

/// One object to detect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The words, in lower case.
    pub text: String,
    /// The label that was typed behind the words: `brown cat_cats` looks for brown cats and labels
    /// them `cats`.
    pub label: Option<String>,
    /// Where the phrase stands in the caption, in characters.
    pub(super) chars: Range<usize>,
}

impl Prompt {
    /// Reads what was typed: phrases separated by full stops. Nothing, if there are no words.
    ///
    /// A phrase may end in an underscore and one of `labels`.
    pub fn new(text: &str, labels: &[String]) -> Option<Self> {
        let typed: Vec<_> = segments(text)
            .map(|segment| split_label(segment, labels))
            .collect();
        let is_plain = typed.iter().all(|(_, label)| label.is_none());
        let texts: Vec<_> = typed
            .iter()
            .map(|(words, _)| words.to_lowercase())
            .collect();
        let caption = if is_plain {
            caption(text)
        } else {
            caption(&texts.join(". "))
        };
        let places = places(&caption);
        let phrases: Vec<_> = texts
            .into_iter()
            .zip(typed)
            .zip(places)
            .map(|((text, (_, label)), chars)| Phrase {
                text,
                label: label.map(str::to_owned),
                chars,
            })
            .collect();
        (!phrases.is_empty()).then_some(Self { caption, phrases })
    }

    /// Returns a prompt for each phrase.
    pub(super) fn apart(&self) -> Vec<Self> {
        let alone = |phrase: &Phrase| {
            let caption = caption(&phrase.text);
            let chars = 0..phrase.text.chars().count();
            let phrase = Phrase {
                chars,
                ..phrase.clone()
            };
            Self {
                caption,
                phrases: vec![phrase],
            }
        };
        self.phrases.iter().map(alone).collect()
    }
}

/// Returns a text as the model expects it: in lower case, with a full stop at its end.
pub fn caption(text: &str) -> String {
    let mut caption = text.trim().to_lowercase();
    if !caption.ends_with('.') {
        caption.push('.');
    }
    caption
}

fn segments(text: &str) -> impl Iterator<Item = &str> {
    let segments = text.split(SEPARATORS).map(str::trim);
    segments.filter(|segment| segment.chars().any(char::is_alphanumeric))
}

/// Splits at the last underscore that a label follows.
fn split_label<'a>(segment: &'a str, labels: &'a [String]) -> (&'a str, Option<&'a str>) {
    let marks = segment.rmatch_indices(LABEL_MARK);
    let split = marks.filter_map(|(place, mark)| {
        let (words, label) = (
            segment[..place].trim(),
            segment[place + mark.len()..].trim(),
        );
        let label = labels.iter().find(|own| *own == label)?;
        (!words.is_empty()).then_some((words, Some(label.as_str())))
    });
    split.into_iter().next().unwrap_or((segment, None))
}

/// Returns where the phrases of a caption stand, in characters.
fn places(caption: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut start = 0;
    for segment in caption.split(SEPARATORS) {
        let end = start + segment.chars().count();
        if segment.chars().any(char::is_alphanumeric) {
            places.push(start..end);
        }
        start = end + 1;
    }
    places
}
