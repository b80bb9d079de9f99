//! The metrics of each control tag.

use std::collections::BTreeMap;

use label_studio_sdk::{Control, LabelConfig, Region};

use super::{
    outcome::{Confusion, ControlReport, LabelRow, Measure},
    prepared,
    samples::Pair,
};
use crate::metrics::{
    DetectionTask, EditCounts, LabelCounts, average_precision, bootstrap, confusion, exact_counts,
    mean, mean_absolute_error, overlap_counts, segment_counts,
};

/// Worst tasks that a report has for a control.
const N_WORST: usize = 20;
/// Labels of which a confusion matrix is made at most.
const MAX_CONFUSED: usize = 50;
/// Intersection over union from which two segments of time are the same.
const SEGMENT_IOU: f64 = 0.5;

/// A metric: its name, and whether it is an error, of which less is better.
type Metric<T> = (&'static str, bool, fn(&[&T]) -> Option<f64>);

/// What a control is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Choices,
    Spans,
    Segments,
    Boxes,
    Masks,
    KeyPoints,
    Texts,
    Numbers,
}

/// Returns the metrics of all controls that can be compared and occur in a task.
pub(super) fn reports(
    label_config: &LabelConfig,
    pairs: &[Pair],
    n_samples: usize,
) -> Vec<ControlReport> {
    let mut reports = Vec::new();
    for control in label_config.controls() {
        let Some(kind) = kind(control, label_config) else {
            continue;
        };
        let pairs = of_control(pairs, &control.name);
        if pairs.is_empty() {
            continue;
        }
        let mut report = measured(kind, &pairs, n_samples);
        report.name.clone_from(&control.name);
        report.tag.clone_from(&control.tag);
        reports.push(report);
    }
    reports
}

fn kind(control: &Control, label_config: &LabelConfig) -> Option<Kind> {
    let is_timed = label_config
        .objects_of(control)
        .any(|object| matches!(&*object.tag.to_lowercase(), "audio" | "audioplus" | "video"));
    Some(match &*control.kind() {
        "choices" | "taxonomy" | "pairwise" => Kind::Choices,
        "labels" if is_timed => Kind::Segments,
        "labels" | "hypertextlabels" => Kind::Spans,
        "timeserieslabels" | "timelinelabels" => Kind::Segments,
        "rectangle" | "rectanglelabels" => Kind::Boxes,
        "polygon" | "polygonlabels" | "brush" | "brushlabels" | "ellipse" | "ellipselabels" => {
            Kind::Masks
        }
        "keypoint" | "keypointlabels" => Kind::KeyPoints,
        "textarea" => Kind::Texts,
        "number" | "rating" => Kind::Numbers,
        _ => return None,
    })
}

/// Keeps the regions of a control, and the tasks that have any.
fn of_control(pairs: &[Pair], name: &str) -> Vec<Pair> {
    let of = |regions: &[Region]| -> Vec<Region> {
        let regions = regions.iter().filter(|region| region.from_name == name);
        regions.cloned().collect()
    };
    let pairs = pairs.iter().map(|pair| Pair {
        expected: of(&pair.expected),
        predicted: of(&pair.predicted),
        ..*pair
    });
    pairs
        .filter(|pair| !pair.expected.is_empty() || !pair.predicted.is_empty())
        .collect()
}

fn measured(kind: Kind, pairs: &[Pair], n_samples: usize) -> ControlReport {
    match kind {
        Kind::Choices => choices(pairs, n_samples),
        Kind::Spans => {
            let prepare = |pair: &Pair| {
                let (expected, predicted) = spans(pair);
                (
                    exact_counts(&expected, &predicted),
                    overlap_counts(&expected, &predicted),
                )
            };
            let metrics: [Metric<(LabelCounts, LabelCounts)>; 4] = [
                ("f1", false, |drawn| {
                    Some(sum(drawn.iter().map(|counts| &counts.0)).micro().f1())
                }),
                ("precision", false, |drawn| {
                    Some(
                        sum(drawn.iter().map(|counts| &counts.0))
                            .micro()
                            .precision(),
                    )
                }),
                ("recall", false, |drawn| {
                    Some(sum(drawn.iter().map(|counts| &counts.0)).micro().recall())
                }),
                ("overlap_f1", false, |drawn| {
                    Some(sum(drawn.iter().map(|counts| &counts.1)).micro().f1())
                }),
            ];
            let prepared: Vec<_> = pairs.iter().map(prepare).collect();
            let labels = rows(&sum(prepared.iter().map(|counts| &counts.0)));
            with_labels(report(pairs, &prepared, &metrics, n_samples), labels)
        }
        Kind::Segments => {
            let prepare = |pair: &Pair| {
                let (expected, predicted) = spans(pair);
                segment_counts(&expected, &predicted, SEGMENT_IOU)
            };
            let metrics: [Metric<LabelCounts>; 3] = [
                ("f1", false, |drawn| {
                    Some(sum(drawn.iter().copied()).micro().f1())
                }),
                ("precision", false, |drawn| {
                    Some(sum(drawn.iter().copied()).micro().precision())
                }),
                ("recall", false, |drawn| {
                    Some(sum(drawn.iter().copied()).micro().recall())
                }),
            ];
            let prepared: Vec<_> = pairs.iter().map(prepare).collect();
            let labels = rows(&sum(prepared.iter()));
            with_labels(report(pairs, &prepared, &metrics, n_samples), labels)
        }
        Kind::Boxes => {
            let metrics: [Metric<DetectionTask>; 2] = [
                ("ap50", false, |drawn| {
                    average_precision(drawn.iter().copied()).map(|found| found.ap50)
                }),
                ("ap50_95", false, |drawn| {
                    average_precision(drawn.iter().copied()).map(|found| found.ap50_95)
                }),
            ];
            let prepared: Vec<_> = pairs.iter().map(prepared::boxes).collect();
            report(pairs, &prepared, &metrics, n_samples)
        }
        Kind::Masks => {
            let metrics: [Metric<Vec<f64>>; 1] = [("iou", false, mean_of)];
            let prepared: Vec<_> = pairs.iter().map(prepared::mask_ious).collect();
            report(pairs, &prepared, &metrics, n_samples)
        }
        Kind::KeyPoints => {
            let metrics: [Metric<Vec<f64>>; 1] = [("oks", false, mean_of)];
            let prepared: Vec<_> = pairs.iter().map(prepared::key_point_similarities).collect();
            report(pairs, &prepared, &metrics, n_samples)
        }
        Kind::Texts => {
            let metrics: [Metric<(EditCounts, EditCounts)>; 2] = [
                ("cer", true, |drawn| {
                    let edits = drawn.iter().map(|edits| edits.1);
                    Some(edits.fold(EditCounts::default(), EditCounts::plus).rate())
                }),
                ("wer", true, |drawn| {
                    let edits = drawn.iter().map(|edits| edits.0);
                    Some(edits.fold(EditCounts::default(), EditCounts::plus).rate())
                }),
            ];
            let prepared: Vec<_> = pairs.iter().map(prepared::edits).collect();
            report(pairs, &prepared, &metrics, n_samples)
        }
        Kind::Numbers => {
            let metrics: [Metric<Option<(f64, f64)>>; 1] = [("mae", true, |drawn| {
                let numbers: Vec<_> = drawn.iter().filter_map(|numbers| **numbers).collect();
                (!numbers.is_empty()).then(|| mean_absolute_error(&numbers))
            })];
            let prepared: Vec<_> = pairs.iter().map(prepared::numbers).collect();
            report(pairs, &prepared, &metrics, n_samples)
        }
    }
}

fn choices(pairs: &[Pair], n_samples: usize) -> ControlReport {
    type Chosen = (Vec<String>, Vec<String>);
    fn counts(drawn: &[&Chosen]) -> LabelCounts {
        let chosen = drawn.iter();
        LabelCounts::of_choices(chosen.map(|chosen| (chosen.0.as_slice(), chosen.1.as_slice())))
    }
    let metrics: [Metric<Chosen>; 4] = [
        ("accuracy", false, |drawn| Some(counts(drawn).accuracy())),
        ("f1", false, |drawn| Some(counts(drawn).micro().f1())),
        ("macro_f1", false, |drawn| Some(counts(drawn).macro_f1())),
        ("weighted_f1", false, |drawn| {
            Some(counts(drawn).weighted_f1())
        }),
    ];
    let prepare = |pair: &Pair| {
        let of = |regions: &[Region]| prepared::choices(regions);
        (of(&pair.expected), of(&pair.predicted))
    };
    let prepared: Vec<Chosen> = pairs.iter().map(prepare).collect();
    let all = counts(&prepared.iter().collect::<Vec<_>>());
    let mut report = with_labels(report(pairs, &prepared, &metrics, n_samples), rows(&all));
    let labels: Vec<&str> = all.labels.keys().map(String::as_str).collect();
    let single = |chosen: &Chosen| chosen.0.len() <= 1 && chosen.1.len() <= 1;
    if labels.len() <= MAX_CONFUSED && prepared.iter().all(single) {
        let pairs = prepared.iter();
        let pairs = pairs.filter_map(|chosen| Some((chosen.0.first()?, chosen.1.first()?)));
        let counts = confusion(
            &labels,
            pairs.map(|(one, other)| (one.as_str(), other.as_str())),
        );
        let labels = labels.into_iter().map(str::to_owned).collect();
        report.confusion = Some(Confusion { labels, counts });
    }
    report
}

/// Computes metrics with their intervals, and finds the tasks that are worst by the first one.
fn report<T>(
    pairs: &[Pair],
    prepared: &[T],
    metrics: &[Metric<T>],
    n_samples: usize,
) -> ControlReport {
    let measures = metrics.iter().filter_map(|(name, is_error, metric)| {
        Some(Measure {
            name,
            interval: bootstrap(prepared, n_samples, metric)?,
            is_error: *is_error,
        })
    });
    let measures = measures.collect();
    let mut worst = Vec::new();
    if let [(_, is_error, metric), ..] = metrics {
        let values = pairs.iter().zip(prepared);
        worst.extend(values.filter_map(|(pair, one)| {
            // Boxes where none is expected are as wrong as can be.
            Some((pair.task, metric(&[one]).or((!is_error).then_some(0.0))?))
        }));
        worst.sort_by(|one, other| one.1.total_cmp(&other.1));
        if *is_error {
            worst.reverse();
        }
        worst.truncate(N_WORST);
    }
    ControlReport {
        name: String::new(),
        tag: String::new(),
        n_tasks: pairs.len(),
        measures,
        labels: Vec::new(),
        confusion: None,
        worst,
    }
}

fn with_labels(report: ControlReport, labels: Vec<LabelRow>) -> ControlReport {
    ControlReport { labels, ..report }
}

fn spans(pair: &Pair) -> (Vec<crate::metrics::Span>, Vec<crate::metrics::Span>) {
    (
        prepared::spans(&pair.expected),
        prepared::spans(&pair.predicted),
    )
}

fn sum<'a>(counts: impl Iterator<Item = &'a LabelCounts>) -> LabelCounts {
    let mut all = LabelCounts::default();
    for (label, counts) in counts.flat_map(|counts| &counts.labels) {
        all.add(label, *counts);
    }
    all
}

fn rows(counts: &LabelCounts) -> Vec<LabelRow> {
    let labels: BTreeMap<_, _> = counts.labels.iter().collect();
    let row = |(label, counts): (&String, &crate::metrics::Counts)| LabelRow {
        label: label.clone(),
        precision: counts.precision(),
        recall: counts.recall(),
        f1: counts.f1(),
        support: counts.support(),
    };
    labels.into_iter().map(row).collect()
}

fn mean_of(drawn: &[&Vec<f64>]) -> Option<f64> {
    let values: Vec<f64> = drawn
        .iter()
        .flat_map(|values| values.iter().copied())
        .collect();
    (!values.is_empty()).then(|| mean(&values))
}
