//! A parsed label config and its look-ups.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value};

use super::{Control, LabelConfigError, Object, Tag, TagNames, error::first_names, parser};

/// The label config of a project: its control tags, its object tags and how they are connected.
///
/// Cloning is cheap. Texts may be 8 MiB long, nest 256 tags and hold 250 000 elements, texts and comments; declarations
/// of entities are refused, and an encoding declaration is ignored. Names of tags and attributes are read without regard
/// to case, as Label Studio's screen reads them.
#[derive(Debug, Clone)]
pub struct LabelConfig {
    text: Arc<str>,
    controls: Arc<Named<Control>>,
    objects: Arc<Named<Object>>,
    has_repeaters: bool,
}

impl LabelConfig {
    /// Reads the XML of a label config.
    ///
    /// Of several controls, or several objects, of one name the last one counts.
    pub fn parse(text: &str) -> Result<Self, LabelConfigError> {
        let tags = parser::read_tags(text)?;
        Ok(Self {
            text: text.into(),
            controls: Arc::new(Named::new(tags.controls)),
            objects: Arc::new(Named::new(tags.objects)),
            has_repeaters: tags.has_repeaters,
        })
    }

    /// Returns the XML as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether parts of the screen are repeated for the entries of a list; [`LabelConfig::for_task`] repeats them.
    pub fn has_repeaters(&self) -> bool {
        self.has_repeaters
    }

    /// Returns the control tags in document order.
    pub fn controls(&self) -> &[Control] {
        &self.controls.tags
    }

    /// Returns the object tags in document order.
    pub fn objects(&self) -> &[Object] {
        &self.objects.tags
    }

    /// Returns the objects that a control of this label config labels.
    pub fn objects_of<'a>(&'a self, control: &'a Control) -> impl Iterator<Item = &'a Object> {
        control
            .objects
            .iter()
            .filter_map(|&idx| self.objects.tags.get(idx))
    }

    /// Returns all tags, objects first.
    pub fn tags(&self) -> impl Iterator<Item = Tag<'_>> {
        let objects = self.objects().iter().map(Tag::Object);
        objects.chain(self.controls().iter().map(Tag::Control))
    }

    /// Returns the tag of a name; a control when a control and an object share it.
    pub fn tag(&self, name: &str) -> Result<Tag<'_>, LabelConfigError> {
        let control = self.controls.get(name).map(Tag::Control);
        let tag = control.or_else(|| self.objects.get(name).map(Tag::Object));
        tag.ok_or_else(|| LabelConfigError::UnknownName {
            what: "tag",
            name: name.into(),
            known: first_names(self.tags().map(Tag::name)),
        })
    }

    /// Returns the control of a name.
    pub fn control(&self, name: &str) -> Result<&Control, LabelConfigError> {
        self.controls.require("control", name)
    }

    /// Returns the object of a name.
    pub fn object(&self, name: &str) -> Result<&Object, LabelConfigError> {
        self.objects.require("object", name)
    }

    /// Returns the only control.
    pub fn only_control(&self) -> Result<&Control, LabelConfigError> {
        self.controls.only("control")
    }

    /// Returns the only object.
    pub fn only_object(&self) -> Result<&Object, LabelConfigError> {
        self.objects.only("object")
    }

    /// Returns the controls of certain kinds, in document order.
    pub fn controls_of<'a>(
        &'a self,
        tags: impl Into<TagNames<'a>>,
    ) -> impl Iterator<Item = &'a Control> {
        let names = tags.into();
        self.controls()
            .iter()
            .filter(move |control| names.accept(&control.tag))
    }

    /// Returns the tags of certain SDK classes, such as `BrushTag` or `ImageTag`, and of those derived from them;
    /// objects first.
    pub fn tags_of_classes<'a>(&'a self, classes: &'a [&'a str]) -> impl Iterator<Item = Tag<'a>> {
        self.tags()
            .filter(|tag| classes.iter().any(|class| tag.is_a(class)))
    }

    /// Returns the controls that mark spans of text: `Labels` and `HyperTextLabels`.
    pub fn ner_controls(&self) -> impl Iterator<Item = &Control> {
        self.controls_of(&["Labels", "HyperTextLabels"])
    }

    /// Returns the objects that show images.
    pub fn image_objects(&self) -> impl Iterator<Item = &Object> {
        self.objects()
            .iter()
            .filter(|object| object.tag.eq_ignore_ascii_case("Image"))
    }

    /// Returns the objects that show PDF documents.
    pub fn pdf_objects(&self) -> impl Iterator<Item = &Object> {
        self.objects()
            .iter()
            .filter(|object| object.tag.eq_ignore_ascii_case("Pdf"))
    }

    /// Returns a copy whose objects know what they show of a task's data.
    #[must_use]
    pub fn load_task(&self, data: &Map<String, Value>) -> Self {
        let mut objects = Named::clone(&self.objects);
        for object in &mut objects.tags {
            object.task_value = object.value_in(data).cloned();
        }
        Self {
            objects: Arc::new(objects),
            ..self.clone()
        }
    }

    /// Maps the names that a model knows to the labels of a control; an empty map when the control does not exist. See
    /// [`Control::label_map`].
    pub fn label_map(&self, control: &str, model_names: &[&str]) -> IndexMap<String, String> {
        let control = self.controls.get(control);
        control
            .map(|control| control.label_map(model_names))
            .unwrap_or_default()
    }
}

/// Tags in document order, found by name.
#[derive(Debug, Clone)]
struct Named<T> {
    tags: Vec<T>,
    names: IndexSet<Box<str>>,
}

impl<T> Named<T> {
    fn new(tags: IndexMap<Box<str>, T>) -> Self {
        let (names, tags) = tags.into_iter().unzip();
        Self { tags, names }
    }

    fn get(&self, name: &str) -> Option<&T> {
        self.tags.get(self.names.get_index_of(name)?)
    }

    fn require(&self, what: &'static str, name: &str) -> Result<&T, LabelConfigError> {
        self.get(name).ok_or_else(|| LabelConfigError::UnknownName {
            what,
            name: name.into(),
            known: first_names(self.names.iter().map(|name| &**name)),
        })
    }

    fn only(&self, what: &'static str) -> Result<&T, LabelConfigError> {
        match &*self.tags {
            [tag] => Ok(tag),
            tags => Err(LabelConfigError::NotExactlyOne {
                what,
                count: tags.len(),
            }),
        }
    }
}
