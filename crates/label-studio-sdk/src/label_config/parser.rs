//! Reads the tags of a label config from its XML.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use roxmltree::{Document, Node, ParsingOptions};

use super::{Attributes, ChildTag, Control, Label, LabelConfigError, Object, limits};

/// The named tags of a label config, by name.
pub(super) struct Tags {
    pub(super) controls: IndexMap<Box<str>, Control>,
    pub(super) objects: IndexMap<Box<str>, Object>,
    pub(super) has_repeaters: bool,
}

/// Parses XML within the limits. Returns where it starts in the text, too.
///
/// A document type such as `<!DOCTYPE html>` passes; one that could declare entities does not.
pub(super) fn read_document(text: &str) -> Result<(Document<'_>, usize), LabelConfigError> {
    limits::check(text)?;
    let document = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_ascii_whitespace());
    let document = without_declaration(document);
    let options = ParsingOptions {
        allow_dtd: has_plain_doctype(document),
        nodes_limit: limits::MAX_NODES,
        ..ParsingOptions::default()
    };
    let start = text.len() - document.len();
    let document = Document::parse_with_options(document, options);
    let document = document.map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => limits::too_many_nodes(),
        error => error.into(),
    })?;
    Ok((document, start))
}

/// Returns whether there is a document type, and it is only a name.
fn has_plain_doctype(text: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c.is_whitespace() || "-_.:".contains(c);
    let mut doctypes = text.split("<!DOCTYPE").skip(1).peekable();
    doctypes.peek().is_some()
        && doctypes.all(|rest| rest.trim_start_matches(is_name).starts_with('>'))
}

/// Reads controls, objects and labels, and connects them.
pub(super) fn read_tags(text: &str) -> Result<Tags, LabelConfigError> {
    let (mut tags, labels) = collect(text)?;
    tags.complete_self_labelling();
    tags.connect(labels);
    Ok(tags)
}

/// Returns the tags and the labels by control. The document, which takes as much memory as they do, ends here.
fn collect(text: &str) -> Result<(Tags, LabelsByControl), LabelConfigError> {
    let (document, _) = read_document(text)?;
    let mut tags = Tags {
        controls: IndexMap::new(),
        objects: IndexMap::new(),
        has_repeaters: elements(&document).any(|node| has_tag(node, "Repeater")),
    };
    let mut labels = Labels::default();
    let mut index_flags = IndexSet::new();
    for node in elements(&document) {
        add_index_flag(&mut index_flags, node)?;
        let name = non_empty(node, "name");
        if let Some((name, to_name)) = control_names(node) {
            let to_name: Vec<_> = to_name.split(',').map(str::to_owned).collect();
            let mut control =
                Control::new(node.tag_name().name(), name, to_name, Attributes::of(node));
            control.regex = index_flag_regex(&control.to_name, &index_flags);
            tags.controls.insert(name.into(), control);
        } else if let Some(name) = name
            && (is_object(node) || self_labelling(node.tag_name().name()).is_some())
        {
            tags.objects.insert(name.into(), object(node, name));
        } else if is_label(node)
            && let Some(owner) = owner(node, |name| tags.controls.contains_key(name))
        {
            labels.add(owner, node);
        }
    }
    Ok((tags, labels.by_control))
}

/// Iterates over the elements in document order.
pub(super) fn elements<'a>(document: &'a Document<'a>) -> impl Iterator<Item = Node<'a, 'a>> {
    document
        .root_element()
        .descendants()
        .filter(Node::is_element)
}

/// Returns whether a tag is of a kind. Label Studio's screen reads names of tags and attributes without regard to case.
pub(super) fn has_tag(node: Node<'_, '_>, tag: &str) -> bool {
    node.tag_name().name().eq_ignore_ascii_case(tag)
}

/// Returns an attribute; that of exactly this name where several differ in case only.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attribute(name).or_else(|| {
        let mut attributes = node.attributes();
        let found = attributes
            .find(|known| known.namespace().is_none() && known.name().eq_ignore_ascii_case(name));
        found.map(|attribute| attribute.value())
    })
}

/// Returns an attribute that is not empty.
pub(super) fn non_empty<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    attribute(node, name).filter(|value| !value.is_empty())
}

/// Returns `name` and `toName` of a control tag.
pub(super) fn control_names<'a>(node: Node<'a, '_>) -> Option<(&'a str, &'a str)> {
    let names = (non_empty(node, "name")?, non_empty(node, "toName")?);
    (!has_tag(node, "Filter")).then_some(names)
}

/// Returns whether a tag with a name is an object.
pub(super) fn is_object(node: Node<'_, '_>) -> bool {
    non_empty(node, "value").is_some() || non_empty(node, "valueList").is_some()
}

/// Returns whether the tag is a label of the control around it.
pub(super) fn is_label(node: Node<'_, '_>) -> bool {
    ["Label", "Choice", "Relation"]
        .iter()
        .any(|tag| has_tag(node, tag))
}

/// Returns the name of the nearest tag around a label that is a control.
pub(super) fn owner<'a>(label: Node<'a, '_>, is_control: impl Fn(&str) -> bool) -> Option<&'a str> {
    let mut names = label
        .ancestors()
        .skip(1)
        .filter_map(|node| attribute(node, "name"));
    names.find(|name| is_control(name))
}

/// Remembers the index flag of a `Repeater`. There may be few of them only: each is looked for in every name after it.
pub(super) fn add_index_flag<'a>(
    flags: &mut IndexSet<&'a str>,
    node: Node<'a, '_>,
) -> Result<(), LabelConfigError> {
    flags.extend(attribute(node, "indexFlag"));
    if flags.len() > MAX_INDEX_FLAGS {
        return Err(LabelConfigError::TooLarge {
            what: "index flags",
            limit: MAX_INDEX_FLAGS,
        });
    }
    Ok(())
}

/// Returns the index flags that occur in the names, each with what stands in its place.
pub(super) fn index_flag_regex(
    to_name: &[impl AsRef<str>],
    flags: &IndexSet<&str>,
) -> IndexMap<String, String> {
    let occurs = |flag: &&&str| to_name.iter().any(|name| name.as_ref().contains(**flag));
    let flags = flags.iter().filter(occurs);
    flags
        .map(|flag| ((*flag).to_owned(), ".*".to_owned()))
        .collect()
}

fn object(node: Node<'_, '_>, name: &str) -> Object {
    let children = node
        .children()
        .filter(Node::is_element)
        .map(|child| ChildTag {
            tag: child.tag_name().name().into(),
            attrs: Attributes::of(child),
        });
    Object::new(
        node.tag_name().name(),
        name,
        Attributes::of(node),
        children.collect(),
    )
}

type LabelsByControl = IndexMap<Arc<str>, IndexMap<Arc<str>, Label>>;

/// The labels by control.
#[derive(Default)]
struct Labels<'a> {
    by_control: LabelsByControl,
    /// The tags of labels: few texts, which all labels share.
    tags: IndexMap<&'a str, Arc<str>>,
}

impl<'a> Labels<'a> {
    fn add(&mut self, control: &str, node: Node<'a, 'a>) {
        let value = non_empty(node, "alias").or_else(|| attribute(node, "value"));
        let Some(value) = value.map(Arc::<str>::from) else {
            return;
        };
        let tag = node.tag_name().name();
        let tag = self.tags.entry(tag).or_insert_with(|| tag.into());
        let idx = match self.by_control.get_index_of(control) {
            Some(idx) => idx,
            None => {
                self.by_control
                    .insert_full(control.into(), IndexMap::new())
                    .0
            }
        };
        let (parent_name, labels) = self.by_control.get_index_mut(idx).expect("it is known");
        let label = Label {
            tag: Arc::clone(tag),
            attrs: Attributes::of(node),
            value: Arc::clone(&value),
            parent_name: Arc::clone(parent_name),
        };
        if labels.len() == labels.capacity() {
            // Doubling would need three times the memory for a moment.
            labels.reserve_exact(labels.len() / 4 + MIN_LABELS);
        }
        labels.insert(value, label);
    }
}

impl Tags {
    /// Gives tags that are control and object in one the half that their attributes did not say.
    fn complete_self_labelling(&mut self) {
        for (name, object) in &self.objects {
            let Some(tag) = self_labelling(&object.tag) else {
                continue;
            };
            self.controls.entry(name.clone()).or_insert_with(|| {
                let attrs = Attributes::from_iter([("name", &**name), ("toName", &**name)]);
                Control::new(tag, name, vec![name.to_string()], attrs)
            });
        }
        for (name, control) in &self.controls {
            if self_labelling(&control.tag).is_some() {
                let make = || Object::new(&control.tag, name, control.attrs.clone(), Vec::new());
                self.objects.entry(name.clone()).or_insert_with(make);
            }
        }
    }

    fn connect(&mut self, mut labels: LabelsByControl) {
        for (name, control) in &mut self.controls {
            let objects = control.to_name.iter();
            control.objects = objects
                .filter_map(|name| self.objects.get_index_of(&**name))
                .collect();
            control.labels_attrs = labels.swap_remove(&**name).unwrap_or_default();
            control.labels_attrs.shrink_to_fit();
            control.labels = control
                .labels_attrs
                .keys()
                .map(ToString::to_string)
                .collect();
        }
    }
}

/// Returns the control's tag of a tag that is control and object in one.
fn self_labelling(tag: &str) -> Option<&'static str> {
    let known = [("chat", "ChatMessage"), ("reactcode", "ReactCode")];
    let found = known
        .iter()
        .find(|(name, _)| tag.eq_ignore_ascii_case(name));
    found.map(|(_, control)| *control)
}

/// Drops the XML declaration: the text is decoded already, so the declared encoding does not matter.
fn without_declaration(text: &str) -> &str {
    let declaration = text
        .strip_prefix("<?xml")
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace()));
    let rest = declaration.and_then(|rest| rest.split_once("?>"));
    rest.map_or(text, |(_, document)| document)
}

/// Labels that there is room for at first.
const MIN_LABELS: usize = 8;
/// Most different index flags of one label config.
const MAX_INDEX_FLAGS: usize = 100;
