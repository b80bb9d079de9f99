//! Fields of a JSON file of a model.

use std::{fs, path::Path};

use serde_json::{Map, Value};

use crate::generation::GenerationError;

/// Largest size in a `config.json` that is believed, such as the width of a layer.
const MAX_SIZE: u64 = 1 << 24;

/// The fields of a JSON file.
#[derive(Debug, Clone, Default)]
pub(in crate::generation) struct Fields(Map<String, Value>);

impl Fields {
    pub(in crate::generation) fn read(path: &Path) -> Result<Self, GenerationError> {
        let json = fs::read(path).map_err(|source| GenerationError::Io {
            path: path.to_owned(),
            source,
        })?;
        let fields = serde_json::from_slice(&json).map_err(|source| GenerationError::Json {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(fields))
    }

    /// Returns a field, unless it is null.
    pub(in crate::generation) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Returns whether there is a field of this name, be it null.
    pub(in crate::generation) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns the fields of an object in a field.
    pub(in crate::generation) fn object(&self, name: &str) -> Option<Self> {
        self.get(name)?.as_object().cloned().map(Self)
    }

    pub(in crate::generation) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub(in crate::generation) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    pub(in crate::generation) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64().filter(|number| number.is_finite())
    }

    /// Returns a single precision number.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "models have single precision"
    )]
    pub(in crate::generation) fn float(&self, name: &str) -> Option<f32> {
        self.number(name).map(|number| number as f32)
    }

    /// Returns a size, which is at least 1; `None` if there is none.
    pub(in crate::generation) fn size(
        &self,
        name: &'static str,
    ) -> Result<Option<usize>, GenerationError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let size = value.as_u64().filter(|size| (1..=MAX_SIZE).contains(size));
        let size = size.and_then(|size| usize::try_from(size).ok());
        let wrong = || GenerationError::size(name, format!("{value} is no size"));
        size.map(Some).ok_or_else(wrong)
    }

    /// Returns a size that must be there.
    pub(in crate::generation) fn needed_size(
        &self,
        name: &'static str,
    ) -> Result<usize, GenerationError> {
        let missing = || GenerationError::size(name, "it is missing");
        self.size(name)?.ok_or_else(missing)
    }

    /// Returns token ids: one, or a list.
    pub(in crate::generation) fn ids(&self, name: &str) -> Vec<u32> {
        let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
        match self.get(name) {
            Some(Value::Array(ids)) => ids.iter().filter_map(id).collect(),
            Some(value) => id(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Returns the items of a list.
    pub(in crate::generation) fn list(&self, name: &str) -> Option<&[Value]> {
        self.get(name)?.as_array().map(Vec::as_slice)
    }

    /// Returns a list of numbers.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "models have single precision"
    )]
    pub(in crate::generation) fn floats(&self, name: &str) -> Option<Vec<f32>> {
        let number = |value: &Value| value.as_f64().map(|number| number as f32);
        self.list(name)?.iter().map(number).collect()
    }
}
