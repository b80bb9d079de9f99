//! One entry of a `result` array: a region, a relation, or JSON that is kept as it is.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

/// One entry of the `result` array of an annotation or a prediction.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ResultEntry {
    /// Something marked by a control tag.
    Region(Region),
    /// A link between two regions.
    Relation(Relation),
    /// Anything else, kept as it came.
    Other(Value),
}

impl ResultEntry {
    /// Returns the region, if the entry is one.
    pub fn as_region(&self) -> Option<&Region> {
        match self {
            Self::Region(region) => Some(region),
            Self::Relation(_) | Self::Other(_) => None,
        }
    }
}

impl From<Region> for ResultEntry {
    fn from(region: Region) -> Self {
        Self::Region(region)
    }
}

impl From<Relation> for ResultEntry {
    fn from(relation: Relation) -> Self {
        Self::Relation(relation)
    }
}

impl From<Value> for ResultEntry {
    fn from(value: Value) -> Self {
        let is_relation = value.get("type").and_then(Value::as_str) == Some(RELATION);
        let parsed = if is_relation {
            Relation::deserialize(&value).map(Self::Relation)
        } else {
            Region::deserialize(&value).map(Self::Region)
        };
        parsed.unwrap_or(Self::Other(value))
    }
}

impl<'de> Deserialize<'de> for ResultEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

/// Something that an annotator or a model marked with a control tag.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Region {
    /// Identifies the region inside its task; the regions of one OCR box share it.
    #[serde(default)]
    pub id: Option<String>,
    /// Name of the control tag.
    pub from_name: String,
    /// Name of the object tag.
    pub to_name: String,
    /// Lower-cased name of the control tag's kind, such as `rectanglelabels`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What was marked; its fields depend on `kind`.
    #[serde(default)]
    pub value: Value,
    /// Confidence in the region, from 0 to 1.
    #[serde(default)]
    pub score: Option<f64>,
    /// Width of the labelled image in pixels.
    #[serde(default)]
    pub original_width: Option<u32>,
    /// Height of the labelled image in pixels.
    #[serde(default)]
    pub original_height: Option<u32>,
    /// Rotation of the image in degrees.
    #[serde(default)]
    pub image_rotation: Option<i32>,
    /// Fields that the SDK does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Written by hand: a derived `flatten` costs several times as much, and regions are most of what a backend writes.
impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("from_name", &self.from_name)?;
        map.serialize_entry("to_name", &self.to_name)?;
        map.serialize_entry("type", &self.kind)?;
        map.serialize_entry("value", &self.value)?;
        if let Some(score) = self.score {
            map.serialize_entry("score", &score)?;
        }
        if let Some(width) = self.original_width {
            map.serialize_entry("original_width", &width)?;
        }
        if let Some(height) = self.original_height {
            map.serialize_entry("original_height", &height)?;
        }
        if let Some(rotation) = self.image_rotation {
            map.serialize_entry("image_rotation", &rotation)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Region {
    /// Creates a region of `kind` without id, score or image size.
    pub fn new(
        from_name: impl Into<String>,
        to_name: impl Into<String>,
        kind: impl Into<String>,
        value: impl Into<Value>,
    ) -> Self {
        Self {
            from_name: from_name.into(),
            to_name: to_name.into(),
            kind: kind.into(),
            value: value.into(),
            ..Self::default()
        }
    }

    /// Sets the id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets a random id (UUID version 4).
    #[must_use]
    pub fn with_new_id(self) -> Self {
        self.with_id(uuid::Uuid::new_v4().to_string())
    }

    /// Sets the confidence, from 0 to 1.
    #[must_use]
    pub fn with_score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }

    /// Sets the size of the labelled image in pixels, unrotated.
    #[must_use]
    pub fn with_image_size(mut self, width: u32, height: u32) -> Self {
        self.original_width = Some(width);
        self.original_height = Some(height);
        self.image_rotation = Some(0);
        self
    }

    /// Returns the labels that the value holds under the region's kind, under `labels` or under `choices`.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        [self.kind.as_str(), "labels", "choices"]
            .iter()
            .find_map(|key| self.value.get(key)?.as_array())
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }
}

/// A link between two regions of one result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "relation")]
pub struct Relation {
    /// Id of the region that the relation starts at.
    pub from_id: String,
    /// Id of the region that the relation ends at.
    pub to_id: String,
    /// Which way the relation points.
    #[serde(default)]
    pub direction: Direction,
    /// Labels of the relation; none by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

impl Relation {
    /// Creates a relation that points from one region to the other.
    pub fn new(from_id: impl Into<String>, to_id: impl Into<String>) -> Self {
        Self {
            from_id: from_id.into(),
            to_id: to_id.into(),
            direction: Direction::Right,
            labels: Vec::new(),
        }
    }
}

/// Which way a relation points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the second region to the first.
    Left,
    /// From the first region to the second.
    #[default]
    Right,
    /// Both ways.
    Bi,
}

const RELATION: &str = "relation";
