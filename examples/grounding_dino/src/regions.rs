//! What Label Studio gets to see.

use label_studio_inference::{
    grounding_dino::{Detection, Prompt, PromptControls, Thresholds, label_for},
    images::PercentBox,
};
use label_studio_ml::{Control, Region, Value, json, sdk::Pair};

/// Returns a rectangle for each thing found in an image of a size.
pub(crate) fn rectangles(
    output: Pair<'_>,
    prompt: &Prompt,
    found: &[Detection],
    size: (u32, u32),
) -> Vec<Region> {
    let rectangle = |found: &Detection| {
        let PercentBox {
            x,
            y,
            width,
            height,
        } = found.percent(size);
        let mut value = json!({ "rotation": 0, "x": x, "y": y, "width": width, "height": height });
        let label = label_for(output.control, prompt, found);
        if let Some(label) = label {
            value[output.control.kind()] = json!([label]);
        }
        let mut region = on(output, value)
            .with_image_size(size.0, size.1)
            .with_score(found.score);
        // Where no label fits, the annotator sees at least which words it were.
        if label.is_none() && !found.words.is_empty() {
            region
                .extra
                .insert("meta".to_owned(), json!({ "text": [found.words] }));
        }
        region
    };
    found.iter().map(rectangle).collect()
}

/// Returns what the controls of the prompt show, so that annotators see what was looked for.
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
