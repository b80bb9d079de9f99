//! A task as Label Studio sends it: its data parsed, the rest kept as raw JSON.

use std::{fmt, ops::Range};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use crate::{Annotation, Prediction, python::repair_json, value_path::value_at};

/// Why JSON cannot be read as a task.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The text is not JSON, or not of the form that Label Studio sends.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The body is not UTF-8.
    #[error("body is not valid UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
}

/// One item to label.
///
/// `id` and `data` are parsed. Annotations, predictions and all other fields stay as slices of the request body until
/// they are asked for, since most models never do and they are most of the bytes.
#[derive(Clone, Default)]
pub struct Task {
    /// Label Studio's number of the task, if it has one.
    pub id: Option<i64>,
    /// What is to be labelled, by the names that the label config refers to with `$name`.
    pub data: Map<String, Value>,
    fields: Vec<(FieldName<Range<usize>>, Range<usize>)>,
    body: Bytes,
}

impl Task {
    /// Creates a task with `data` only.
    pub fn new(data: Map<String, Value>) -> Self {
        Self {
            data,
            ..Self::default()
        }
    }

    /// Reads one task.
    pub fn parse(json: &str) -> Result<Self, TaskError> {
        let spans: TaskSpans<'_> = serde_json::from_str(json)?;
        Ok(spans.into_task(&Bytes::copy_from_slice(json.as_bytes()), json))
    }

    /// Reads one task from parsed JSON.
    pub fn from_value(task: &Value) -> Result<Self, TaskError> {
        Self::parse(&task.to_string())
    }

    /// Reads an array of tasks in one pass and without copying: every task keeps slices of `json`.
    pub fn parse_list(json: &Bytes) -> Result<Vec<Self>, TaskError> {
        let text = std::str::from_utf8(json)?;
        let tasks: RawTasks<'_> = serde_json::from_str(text)?;
        Ok(tasks.into_tasks(json))
    }

    /// Returns the raw JSON of a field other than `id` and `data`.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter().rev();
        let (_, span) = fields.find(|(field, _)| self.name_of(field) == Some(name))?;
        self.slice(span)
    }

    /// Returns what annotators submitted; an empty list when Label Studio sent no annotations.
    pub fn annotations(&self) -> Result<Vec<Annotation>, serde_json::Error> {
        self.list("annotations")
    }

    /// Returns the predictions that Label Studio has stored; an empty list when it sent no predictions.
    pub fn predictions(&self) -> Result<Vec<Prediction>, serde_json::Error> {
        self.list("predictions")
    }

    /// Returns a value of the task's data by the name that a label config has after the `$`: that of a field, or a path
    /// such as `meta.title` or `items[0].text`.
    pub fn value(&self, value_name: &str) -> Option<&Value> {
        value_at(&self.data, value_name)
    }

    /// Returns a text of the task's data, found as by [`Task::value`].
    pub fn text(&self, value_name: &str) -> Option<&str> {
        self.value(value_name)?.as_str()
    }

    /// Returns the whole task as JSON. A field nested deeper than 128 levels becomes null.
    pub fn to_value(&self) -> Value {
        let mut task = Map::new();
        for (name, span) in &self.fields {
            let value = self.slice(span).and_then(|json| read(json).ok());
            if let Some(name) = self.name_of(name) {
                task.insert(name.to_owned(), value.unwrap_or_default());
            }
        }
        if let Some(id) = self.id {
            task.insert("id".into(), id.into());
        }
        task.insert("data".into(), Value::Object(self.data.clone()));
        Value::Object(task)
    }

    fn name_of<'a>(&'a self, name: &'a FieldName<Range<usize>>) -> Option<&'a str> {
        match name {
            FieldName::Plain(span) => self.slice(span),
            FieldName::Escaped(name) => Some(name),
        }
    }

    fn slice(&self, span: &Range<usize>) -> Option<&str> {
        std::str::from_utf8(self.body.get(span.clone())?).ok()
    }

    fn list<T: for<'a> Deserialize<'a>>(&self, name: &str) -> Result<Vec<T>, serde_json::Error> {
        let Some(raw) = self.field(name) else {
            return Ok(Vec::new());
        };
        Ok(read::<Option<Vec<T>>>(raw)?.unwrap_or_default())
    }
}

/// Reads a field that was not parsed before: it may hold JSON that only Python reads.
fn read<T: for<'a> Deserialize<'a>>(json: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(json).or_else(|error| {
        let repaired = repair_json(json).ok_or(error)?;
        serde_json::from_str(&repaired)
    })
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(Error::custom)
    }
}

/// Tasks that still borrow from the text of a request body.
///
/// A request struct with a field of this type is read in one pass; [`RawTasks::into_tasks`] then turns the borrows into
/// slices of the body.
#[derive(Debug, Default)]
pub struct RawTasks<'a>(Vec<TaskSpans<'a>>);

impl RawTasks<'_> {
    /// Makes the tasks own their part of `body`, which must be the text that they were read from.
    ///
    /// # Panics
    /// When `body` is another text.
    pub fn into_tasks(self, body: &Bytes) -> Vec<Task> {
        let text = std::str::from_utf8(body).expect("the body was read as text before");
        self.0
            .into_iter()
            .map(|task| task.into_task(body, text))
            .collect()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawTasks<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RawTasksVisitor)
    }
}

struct RawTasksVisitor;

impl<'de> Visitor<'de> for RawTasksVisitor {
    type Value = RawTasks<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tasks")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut tasks = Vec::new();
        loop {
            let next = seq.next_element();
            match next
                .map_err(|error| Error::custom(format_args!("tasks[{}]: {error}", tasks.len())))?
            {
                Some(task) => tasks.push(task),
                None => return Ok(RawTasks(tasks)),
            }
        }
    }
}

/// One task whose fields borrow from the text.
#[derive(Debug)]
struct TaskSpans<'a> {
    id: Option<i64>,
    data: Map<String, Value>,
    fields: Vec<(FieldName<&'a str>, &'a str)>,
}

impl TaskSpans<'_> {
    fn into_task(self, body: &Bytes, text: &str) -> Task {
        let span = |raw: &str| {
            let start = raw.as_ptr().addr().checked_sub(text.as_ptr().addr());
            let start = start.expect("a task borrows from its own body");
            start..start + raw.len()
        };
        let name_span = |name: FieldName<&str>| match name {
            FieldName::Plain(name) => FieldName::Plain(span(name)),
            FieldName::Escaped(name) => FieldName::Escaped(name),
        };
        let fields = self.fields.into_iter();
        let fields = fields
            .map(|(name, raw)| (name_span(name), span(raw)))
            .collect();
        Task {
            id: self.id,
            data: self.data,
            fields,
            body: body.clone(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TaskSpans<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TaskVisitor)
    }
}

struct TaskVisitor;

impl<'de> Visitor<'de> for TaskVisitor {
    type Value = TaskSpans<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task: an object with \"data\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut id, mut data) = (None, None);
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        while let Some(key) = map.next_key::<FieldName<&'de str>>()? {
            match key.as_str() {
                "id" => id = Some(map.next_value::<Value>()?),
                "data" => data = Some(map.next_value::<Map<String, Value>>()?),
                _ => fields.push((key, map.next_value::<&RawValue>()?.get())),
            }
        }
        Ok(TaskSpans {
            id: id.as_ref().and_then(task_id),
            data: data.ok_or_else(|| Error::missing_field("data"))?,
            fields,
        })
    }
}

/// A field's name: a part of the text, or its own text where the JSON escapes characters of it.
#[derive(Debug, Clone)]
enum FieldName<Plain> {
    Plain(Plain),
    Escaped(Box<str>),
}

impl FieldName<&str> {
    fn as_str(&self) -> &str {
        match self {
            Self::Plain(name) => name,
            Self::Escaped(name) => name,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for FieldName<&'a str> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FieldNameVisitor)
    }
}

struct FieldNameVisitor;

impl<'de> Visitor<'de> for FieldNameVisitor {
    type Value = FieldName<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(FieldName::Plain(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(FieldName::Escaped(name.into()))
    }
}

/// Fields that Label Studio sends beside `id` and `data`.
const USUAL_FIELDS: usize = 18;

/// A task's number; some exports write it as text.
fn task_id(id: &Value) -> Option<i64> {
    id.as_i64().or_else(|| id.as_str()?.parse().ok())
}
