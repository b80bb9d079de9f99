//! Files that become tasks: what each is, and which object tag of a label config shows it.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use label_studio_sdk::{LabelConfig, Object};
use serde_json::{Map, Value};

/// Media type of a file of which nothing is known.
pub(crate) const OCTETS: &str = "application/octet-stream";

/// Kinds of media, by the end of a file's name.
const MEDIA: [(&str, Media); 22] = [
    ("jpg", media("image/jpeg", "Image")),
    ("jpeg", media("image/jpeg", "Image")),
    ("png", media("image/png", "Image")),
    ("webp", media("image/webp", "Image")),
    ("gif", media("image/gif", "Image")),
    ("bmp", media("image/bmp", "Image")),
    ("tif", media("image/tiff", "Image")),
    ("tiff", media("image/tiff", "Image")),
    ("svg", media("image/svg+xml", "Image")),
    ("wav", media("audio/wav", "Audio")),
    ("mp3", media("audio/mpeg", "Audio")),
    ("flac", media("audio/flac", "Audio")),
    ("ogg", media("audio/ogg", "Audio")),
    ("m4a", media("audio/mp4", "Audio")),
    ("mp4", media("video/mp4", "Video")),
    ("webm", media("video/webm", "Video")),
    ("mov", media("video/quicktime", "Video")),
    ("mkv", media("video/x-matroska", "Video")),
    ("pdf", media("application/pdf", "Pdf")),
    ("csv", media("text/csv", "TimeSeries")),
    ("html", media("text/html", "HyperText")),
    ("htm", media("text/html", "HyperText")),
];

/// A kind of media.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Media {
    pub(crate) media_type: &'static str,
    /// Object tag that shows it.
    tag: &'static str,
}

/// What a file is, judged by its name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// JSON with tasks.
    Tasks,
    /// An image, a recording, ...
    Media(Media),
    /// Anything else.
    Text,
}

/// How a label config shows a file.
pub(crate) struct Shown<'a> {
    /// Field of a task's data that has the file or its text.
    pub(crate) field: &'a str,
    /// Whether the field has the text itself.
    pub(crate) is_text: bool,
}

const fn media(media_type: &'static str, tag: &'static str) -> Media {
    Media { media_type, tag }
}

impl Kind {
    /// Returns what the file at `path` is.
    pub(crate) fn of(path: &Path) -> Self {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let ending = ending.to_ascii_lowercase();
        if matches!(ending.as_str(), "json" | "jsonl") {
            return Self::Tasks;
        }
        let known = MEDIA.iter().find(|(known, _)| *known == ending);
        known.map_or(Self::Text, |(_, media)| Self::Media(*media))
    }
}

impl<'a> Shown<'a> {
    /// Returns how the label config shows a kind of media, or a text.
    ///
    /// # Errors
    /// When it has no object tag for that, or one that shows no field of the task.
    pub(crate) fn by(label_config: &'a LabelConfig, media: Option<Media>) -> anyhow::Result<Self> {
        let object = object_for(label_config, media.map_or("Text", |media| media.tag))?;
        let field = object
            .variable()
            .with_context(|| format!("<{}> {:?} shows no $name", object.tag, object.name))?;
        let tag = object.tag.to_lowercase();
        let is_text = matches!(&*tag, "text" | "hypertext" | "paragraphs")
            && object.value_type.as_deref() != Some("url");
        Ok(Self { field, is_text })
    }
}

/// Returns the object tag that shows a kind of file, else the only one.
fn object_for<'a>(label_config: &'a LabelConfig, tag: &str) -> anyhow::Result<&'a Object> {
    let objects = label_config.objects();
    let is_alike = |object: &&Object| object.tag.eq_ignore_ascii_case(tag);
    let found = objects.iter().find(is_alike);
    let found = found.or_else(|| (objects.len() == 1).then(|| &objects[0]));
    found.with_context(|| format!("the label config has no <{tag}> that shows it"))
}

/// Reads tasks as Label Studio imports and exports them: with `data`, or the data alone; a list, one, or one per line.
/// Each of them is returned with `data`.
pub(crate) fn read_tasks(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(path)?;
    let items = match serde_json::from_str(&text) {
        Ok(Value::Array(items)) => items,
        Ok(item) => vec![item],
        Err(error) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let items = lines.map(serde_json::from_str).collect::<Result<_, _>>();
            items.map_err(|_| error)?
        }
    };
    let with_data = |(idx, item)| match item {
        Value::Object(task) if task.get("data").is_some_and(Value::is_object) => {
            Ok(Value::Object(task))
        }
        Value::Object(data) => {
            Ok(Map::from_iter([("data".to_owned(), Value::Object(data))]).into())
        }
        _ => bail!("entry {idx} is not a task: an object with \"data\""),
    };
    items.into_iter().enumerate().map(with_data).collect()
}
