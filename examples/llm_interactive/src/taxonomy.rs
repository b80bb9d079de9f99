//! The items of a `Taxonomy`, as paths.

use label_studio_ml::{Control, LabelConfig};
use roxmltree::{Document, Node};

/// Separator of the items of a path, in prompts and answers.
pub(crate) const SEPARATOR: &str = " / ";

/// Returns the path of every item that may be chosen, from the root, parents before children.
pub(crate) fn paths(label_config: &LabelConfig, control: &Control) -> Vec<Vec<String>> {
    // The label config was read before, so this only fails for what has no taxonomy.
    let Ok(document) = Document::parse(label_config.text().trim()) else {
        return Vec::new();
    };
    let taxonomy = document
        .descendants()
        .rfind(|node| node.attribute("name") == Some(&control.name));
    let mut search = Search {
        only_leaves: control.attr("leafsOnly") == Some("true"),
        path: Vec::new(),
        paths: Vec::new(),
    };
    if let Some(taxonomy) = taxonomy {
        search.add_below(taxonomy);
    }
    search.paths
}

struct Search {
    only_leaves: bool,
    path: Vec<String>,
    paths: Vec<Vec<String>>,
}

impl Search {
    fn add_below(&mut self, node: Node<'_, '_>) {
        for child in items(node) {
            let item = child
                .attribute("alias")
                .or_else(|| child.attribute("value"))
                .unwrap_or_default();
            self.path.push(item.to_owned());
            if !self.only_leaves || items(child).next().is_none() {
                self.paths.push(self.path.clone());
            }
            self.add_below(child);
            self.path.pop();
        }
    }
}

fn items<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(|child| {
        child.has_tag_name("Choice")
            && (child.has_attribute("alias") || child.has_attribute("value"))
    })
}
