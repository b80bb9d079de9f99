//! The prompt and the thresholds as regions.

use label_studio_ml::{Control, Region, Value, json, sdk::Pair};
use label_studio_vision::models::grounding_dino::{PromptControls, Thresholds};

/// Returns regions with the prompt and the thresholds, so that annotators see which were used.
pub(crate) fn echo(
    controls: &PromptControls<'_>,
    typed: &str,
    thresholds: Thresholds,
) -> Vec<Region> {
    let mut echo = vec![on(controls.prompt, json!({ "text": [typed] }))];
    let mut number = |control: Option<&Control>, number: f64| {
        if let Some(control) = control {
            let object = controls.prompt.object;
            echo.push(on(Pair { control, object }, json!({ "number": number })));
        }
    };
    number(controls.box_threshold, thresholds.box_score);
    number(controls.text_threshold, thresholds.token_score);
    echo
}

fn on(pair: Pair<'_>, value: Value) -> Region {
    let mut region = pair.control.region(value).with_new_id();
    region.to_name.clone_from(&pair.object.name);
    region
}
