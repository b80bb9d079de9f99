//! The controls of a project, and the regions for them.

use label_studio_ml::{
    Control, LabelConfig, Object, Region, Value,
    anyhow::{self, Context},
    json,
    sdk::Pair,
};
use label_studio_services::prompt_pair;

use crate::{Answered, ControlArgs};

/// Length of the id of the prompt's region, as in the Python original.
const N_ID_CHARS: usize = 4;

/// The controls of a project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outputs<'a> {
    pub(crate) classification: Pair<'a>,
    pub(crate) prompt: Pair<'a>,
    response: Pair<'a>,
    snippets: Pair<'a>,
}

impl<'a> Outputs<'a> {
    pub(crate) fn find(label_config: &'a LabelConfig, args: &ControlArgs) -> anyhow::Result<Self> {
        let text_area = |prefix: &str| {
            prompt_pair(label_config, prefix, &["Text"]).with_context(|| {
                format!("no <TextArea> on a <Text> whose name starts with {prefix:?}")
            })
        };
        Ok(Self {
            classification: label_config.first_pair("Choices", "Text")?,
            prompt: text_area(&args.prompt.prompt_prefix)?,
            response: text_area(&args.response_prefix)?,
            snippets: text_area(&args.snippets_prefix)?,
        })
    }

    /// Returns what the annotator reads.
    pub(crate) fn object(&self) -> &'a Object {
        self.classification.object
    }

    /// Returns what the answer is matched with.
    pub(crate) fn choices(&self) -> &'a Control {
        self.classification.control
    }

    /// Makes the region that every task of a request has in common.
    pub(crate) fn prompt_region(&self, prompt: &str) -> Region {
        let mut id = Region::default().with_new_id().id.unwrap_or_default();
        id.truncate(N_ID_CHARS);
        region(self.prompt, json!({ "text": [prompt] })).with_id(id)
    }

    /// Makes the regions of a task.
    pub(crate) fn regions(
        &self,
        prompt: &Region,
        answered: &Answered,
        labels: &[&str],
    ) -> Vec<Region> {
        let mut regions = vec![
            prompt.clone(),
            region(self.classification, json!({ "choices": labels })),
            region(self.response, json!({ "text": [answered.text] })),
        ];
        if !answered.snippets.is_empty() {
            regions.push(region(self.snippets, json!({ "text": answered.snippets })));
        }
        regions
    }
}

fn region(pair: Pair<'_>, value: Value) -> Region {
    Region::new(
        &pair.control.name,
        &pair.object.name,
        pair.control.kind(),
        value,
    )
}
