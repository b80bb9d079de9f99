//! `config.cfg` of a pipeline.

use std::collections::HashMap;

use label_studio_ml::{
    Value,
    anyhow::{self, Context, ensure},
    serde_json,
};

/// The settings of a pipeline, by section and name.
#[derive(Debug)]
pub(crate) struct Config {
    sections: HashMap<String, HashMap<String, Value>>,
}

/// A component of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) name: String,
    /// What makes it, such as `ner`.
    pub(crate) factory: String,
}

impl Config {
    /// Reads a file: sections in square brackets, names, and values in JSON.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut sections: HashMap<String, HashMap<String, Value>> = HashMap::new();
        let mut section = String::new();
        let mut entry: Option<(String, String)> = None;
        let lines = text.lines().chain(std::iter::once(""));
        for line in lines {
            let trimmed = line.trim();
            let is_continued = line.starts_with([' ', '\t']) && !trimmed.is_empty();
            if is_continued && let Some((_, value)) = &mut entry {
                value.push_str(trimmed);
                continue;
            }
            if let Some((name, value)) = entry.take() {
                let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
                sections
                    .entry(section.clone())
                    .or_default()
                    .insert(name, value);
            }
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = trimmed
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                name.clone_into(&mut section);
                continue;
            }
            let (name, value) = trimmed
                .split_once('=')
                .with_context(|| format!("the line {trimmed} has no ="))?;
            entry = Some((name.trim().to_owned(), value.trim().to_owned()));
        }
        ensure!(
            sections.contains_key("nlp"),
            "it has no section [nlp]: it is no pipeline of spaCy 3"
        );
        Ok(Self { sections })
    }

    /// Returns a setting as a text.
    pub(crate) fn text(&self, section: &str, name: &str) -> Option<&str> {
        self.sections.get(section)?.get(name)?.as_str()
    }

    /// Returns a setting that is a map.
    fn value(&self, section: &str, name: &str) -> Option<&Value> {
        self.sections.get(section)?.get(name)
    }

    /// Returns what cuts texts into tokens.
    pub(crate) fn tokenizer(&self) -> &str {
        let inline = self
            .value("nlp", "tokenizer")
            .and_then(|value| value["@tokenizers"].as_str());
        inline
            .or_else(|| self.text("nlp.tokenizer", "@tokenizers"))
            .unwrap_or_default()
    }

    /// Returns the components that are switched on, in their order.
    pub(crate) fn components(&self) -> Vec<Component> {
        let names = |name: &str| {
            let list = self.value("nlp", name).and_then(Value::as_array);
            let names = list.into_iter().flatten().filter_map(Value::as_str);
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        let disabled = names("disabled");
        let enabled = names("pipeline")
            .into_iter()
            .filter(|name| !disabled.contains(name));
        enabled
            .map(|name| {
                let factory = self.text(&format!("components.{name}"), "factory");
                let factory = factory.unwrap_or(&name).to_owned();
                Component { name, factory }
            })
            .collect()
    }

    /// Returns the component that a component takes its vectors from: `*` for any.
    pub(crate) fn upstream(&self, component: &str) -> &str {
        let section = format!("components.{component}.model.tok2vec");
        self.text(&section, "upstream").unwrap_or("*")
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    const TEXT: &str = r#"[nlp]
lang = "en"
pipeline = ["tok2vec","tagger",
    "senter","my_ner"]
disabled = ["senter"]
tokenizer = {"@tokenizers":"spacy.Tokenizer.v1"}

[components.my_ner]
factory = "ner"

[components.my_ner.model.tok2vec]
upstream = "*"
width = ${components.tok2vec.model.encode:width}
"#;

    #[test]
    fn lists_components_that_are_on() {
        let config = Config::parse(TEXT).unwrap();
        let components = config.components();
        let names: Vec<_> = components.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["tok2vec", "tagger", "my_ner"]);
        assert_eq!(components[2].factory, "ner");
        assert_eq!(config.tokenizer(), "spacy.Tokenizer.v1");
        assert_eq!(config.upstream("my_ner"), "*");
    }

    #[test]
    fn refuses_other_files() {
        for text in ["", "[other]\na = 1", "[nlp]\nno value"] {
            assert!(Config::parse(text).is_err(), "{text}");
        }
    }
}
