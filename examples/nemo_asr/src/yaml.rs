//! YAML as JSON.

use label_studio_ml::{
    Map, Value,
    anyhow::{self, Context, bail},
    json,
};
use saphyr::{LoadableYamlNode, Scalar, Yaml};

/// Reads the first document of a YAML text.
pub(crate) fn parse(text: &str) -> anyhow::Result<Value> {
    let documents = Yaml::load_from_str(text).context("it is no YAML")?;
    match documents.first() {
        Some(document) => value(document),
        None => bail!("it is empty"),
    }
}

fn value(yaml: &Yaml<'_>) -> anyhow::Result<Value> {
    Ok(match yaml {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(flag) => json!(flag),
            Scalar::Integer(number) => json!(number),
            Scalar::FloatingPoint(number) => json!(number.into_inner()),
            Scalar::String(text) => json!(text),
        },
        Yaml::Sequence(items) => items.iter().map(value).collect::<anyhow::Result<_>>()?,
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, entry) in entries {
                let key = match value(key)? {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                map.insert(key, value(entry)?);
            }
            Value::Object(map)
        }
        Yaml::Tagged(_, inner) => value(inner)?,
        Yaml::Representation(text, ..) => json!(text),
        _ => bail!("it has parts that refer to others, or are no YAML"),
    })
}
