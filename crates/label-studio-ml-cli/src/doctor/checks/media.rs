//! Checks whether the files of the task can be fetched.

use label_studio_sdk::{MediaFetcher, MediaOptions, Object};
use serde_json::Value;

use crate::doctor::{
    report::{Finding, chain},
    state::Doctor,
};

/// Object tags, in lower case, whose value is the address of a file.
const MEDIA_TAGS: &[&str] = &["audio", "audioplus", "image", "pdf", "timeseries", "video"];

impl Doctor {
    pub(super) fn check_media(&mut self) -> Finding {
        let (Some(task), Some(label_config)) = (&self.task, &self.label_config) else {
            return Finding::Skipped("needs a task and a label config");
        };
        let urls: Vec<_> = label_config
            .objects()
            .iter()
            .filter(|object| is_media(object))
            .filter_map(|object| {
                let value = object.value_in(&task.data)?;
                let url = value
                    .as_str()
                    .or_else(|| value.get(0).and_then(Value::as_str))?;
                Some((object.value_name.as_str(), url))
            })
            .collect();
        if urls.is_empty() {
            return Finding::Skipped("the task refers to no files");
        }
        let fetched: Result<Vec<_>, String> = self.fetch(&urls);
        match fetched {
            Ok(sizes) => Finding::Fine(sizes.join(", ")),
            Err(error) => Finding::Failure(error),
        }
    }

    /// Fetches files into a temporary folder, and returns their names and sizes.
    fn fetch(&self, urls: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let cache = tempfile::tempdir().map_err(chain)?;
        let options = MediaOptions {
            retries: 0,
            ..self.args.media_options(cache.path())
        };
        let fetcher = MediaFetcher::new(self.client.clone(), options).map_err(chain)?;
        let task_id = self.task.as_ref().and_then(|task| task.id);
        urls.iter()
            .map(|(name, url)| {
                let path = fetcher
                    .local_path(url, task_id)
                    .map_err(|error| format!("{name}: {}", chain(error)))?;
                let size = path.metadata().map_err(chain)?.len();
                Ok(format!("{name} has {size} bytes"))
            })
            .collect()
    }
}

fn is_media(object: &Object) -> bool {
    let is_url = object
        .value_type
        .as_ref()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("url"));
    is_url || MEDIA_TAGS.contains(&object.tag.to_ascii_lowercase().as_str())
}
