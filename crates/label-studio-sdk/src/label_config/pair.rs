//! The pair of control and object that a model works on.

use super::{Control, LabelConfig, LabelConfigError, Object, TagNames};

/// A control tag and one of the object tags that it labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// What makes the regions.
    pub control: &'a Control,
    /// What they are on.
    pub object: &'a Object,
}

impl LabelConfig {
    /// Returns the first control of a kind that labels an object of a kind, and the first such object of it.
    pub fn first_pair<'a>(
        &self,
        control: impl Into<TagNames<'a>>,
        object: impl Into<TagNames<'a>>,
    ) -> Result<Pair<'_>, LabelConfigError> {
        self.first_pair_where(control, object, |_| true, |_| true)
    }

    /// Returns the first control of a kind that passes a test and labels an object that does so too, and the first
    /// such object of it.
    pub fn first_pair_where<'a>(
        &self,
        control: impl Into<TagNames<'a>>,
        object: impl Into<TagNames<'a>>,
        accepts_control: impl Fn(&Control) -> bool,
        accepts_object: impl Fn(&Object) -> bool,
    ) -> Result<Pair<'_>, LabelConfigError> {
        let (control_names, object_names) = (control.into(), object.into());
        let mut controls = self
            .controls()
            .iter()
            .filter(|control| control_names.accept(&control.tag) && accepts_control(control));
        let found = controls.find_map(|control| {
            let mut objects = self.objects_of(control);
            let object = objects
                .find(|object| object_names.accept(&object.tag) && accepts_object(object))?;
            Some(Pair { control, object })
        });
        found.ok_or_else(|| LabelConfigError::MissingPair {
            control: control_names.describe(),
            object: object_names.describe(),
        })
    }

    /// Returns the first pair as the names that regions and task data use: `from_name`, `to_name` and value name.
    pub fn first_tag_occurrence<'a>(
        &self,
        control: impl Into<TagNames<'a>>,
        object: impl Into<TagNames<'a>>,
    ) -> Result<(&str, &str, &str), LabelConfigError> {
        let Pair { control, object } = self.first_pair(control, object)?;
        Ok((&control.name, &object.name, &object.value_name))
    }
}
