//! `Choices` and `Taxonomy`.

use label_studio_ml::{Region, json};

use super::region::region;
use crate::{Control, Kind};

pub(super) fn regions(control: &Control<'_>, probabilities: &[f64]) -> Vec<Region> {
    let labelled = probabilities
        .iter()
        .enumerate()
        .filter_map(|(class, score)| Some((control.label(class)?, *score)));
    let is_enough = |(label, score): &(&str, f64)| *score >= control.threshold_of(label);
    let takes_several = !matches!(
        control.tag.attr("choice").unwrap_or("single"),
        "single" | "single-radio"
    );
    let chosen: Vec<_> = if takes_several {
        labelled.filter(is_enough).collect()
    } else {
        let best = labelled.reduce(|best, other| if other.1 > best.1 { other } else { best });
        best.into_iter().filter(is_enough).collect()
    };
    if chosen.is_empty() {
        return Vec::new();
    }
    let mut labels: Vec<&str> = Vec::new();
    for (label, _) in &chosen {
        if !labels.contains(label) {
            labels.push(label);
        }
    }
    let n_chosen = chosen.iter().fold(0.0, |n, _| n + 1.0);
    let score = chosen.iter().map(|(_, score)| score).sum::<f64>() / n_chosen;
    let value = match control.kind {
        Kind::Taxonomy => {
            let path = |label: &&str| match control.paths.get(*label) {
                Some(path) => json!(path),
                None => json!([label]),
            };
            json!({ "taxonomy": labels.iter().map(path).collect::<Vec<_>>() })
        }
        _ => json!({ "choices": labels }),
    };
    vec![region(control, value, score)]
}
