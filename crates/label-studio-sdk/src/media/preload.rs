//! Putting files into task data in place of their addresses.

use std::{fs::File, io::Read as _};

use serde_json::{Map, Value};

use super::{MediaError, MediaFetcher, source::shown};

impl MediaFetcher {
    /// Replaces addresses in task data, at any depth, by the text of the files they mean.
    ///
    /// [`needs_preload`](super::needs_preload) decides what is an address. A file that is too large or not UTF-8 is an
    /// error; a text is never replaced in part.
    pub fn preload(
        &self,
        data: &Map<String, Value>,
        task_id: Option<i64>,
    ) -> Result<Map<String, Value>, MediaError> {
        replaced(data, &|url| self.text(url, task_id))
    }

    /// Replaces addresses in task data, at any depth, by local paths of the files they mean.
    pub fn preload_paths(
        &self,
        data: &Map<String, Value>,
        task_id: Option<i64>,
    ) -> Result<Map<String, Value>, MediaError> {
        replaced(data, &|url| {
            let path = self.local_path(url, task_id)?;
            Ok(path.to_string_lossy().into_owned())
        })
    }

    fn text(&self, url: &str, task_id: Option<i64>) -> Result<String, MediaError> {
        let path = self.local_path(url, task_id)?;
        let limit = self.options().max_text_bytes;
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
            .map_err(|source| MediaError::Io { path, source })?;
        if bytes.len() as u64 > limit {
            return Err(MediaError::TooLarge {
                url: shown(url),
                limit,
            });
        }
        String::from_utf8(bytes).map_err(|source| MediaError::NotText {
            url: shown(url),
            source,
        })
    }
}

type Replace<'a> = &'a dyn Fn(&str) -> Result<String, MediaError>;

fn replaced(
    data: &Map<String, Value>,
    replace: Replace<'_>,
) -> Result<Map<String, Value>, MediaError> {
    let entry =
        |(name, value): (&String, &Value)| Ok((name.clone(), replaced_value(value, replace)?));
    data.iter().map(entry).collect()
}

fn replaced_value(value: &Value, replace: Replace<'_>) -> Result<Value, MediaError> {
    Ok(match value {
        Value::String(text) if super::needs_preload(text) => replace(text)?.into(),
        Value::Array(items) => {
            let items = items.iter().map(|item| replaced_value(item, replace));
            items.collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Object(entries) => replaced(entries, replace)?.into(),
        other => other.clone(),
    })
}
