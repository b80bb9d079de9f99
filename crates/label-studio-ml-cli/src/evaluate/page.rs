//! The report as a page that needs nothing but itself: tables, intervals, confusion matrices, the worst tasks.

use std::{collections::BTreeMap, fmt::Write as _};

use label_studio_sdk::{Client, LabelConfig, Task};

use super::{
    outcome::{Confusion, ControlReport, Evaluation, Measure, VersionReport},
    samples::{Collected, Pair, VersionPairs},
};
use crate::{
    draw::{body, escaped, page},
    project::{Patience, tasks_of},
};

/// Worst tasks of a control that are drawn.
const N_DRAWN: usize = 5;
const STYLE: &str = "<style>table{border-collapse:collapse;margin:.5em 0}td,th{padding:.2em .7em;text-align:left;\
    border-bottom:1px solid #ddd}.bar{width:16em}.both{display:flex;gap:1em;flex-wrap:wrap}.both>div{flex:1 1 20em;\
    overflow:auto}h2{margin-top:2em}.matrix td{text-align:right}</style>";

/// How the worst tasks are read.
pub(super) struct ShownTasks<'a> {
    pub(super) client: &'a Client,
    pub(super) project: i64,
    pub(super) label_config: &'a LabelConfig,
    pub(super) patience: &'a Patience<'a>,
}

/// Returns the page.
pub(super) fn html(
    evaluation: &Evaluation,
    collected: &Collected,
    shown: &ShownTasks<'_>,
) -> anyhow::Result<String> {
    let mut html = String::from(STYLE);
    // The newest version is what a reader looks for.
    for version in evaluation.versions.iter().rev() {
        let mut pairs = collected.versions.iter();
        let pairs = pairs.find(|pairs| pairs.model_version == version.model_version);
        html += &of_version(version, pairs, shown)?;
    }
    let title = format!("Evaluation of project {}", evaluation.project);
    Ok(page(&title, &html))
}

fn of_version(
    version: &VersionReport,
    pairs: Option<&VersionPairs>,
    shown: &ShownTasks<'_>,
) -> anyhow::Result<String> {
    let mut html = format!(
        "<h2>Model version {}</h2><p>{} annotated tasks with a prediction, {} without</p>",
        escaped(&version.model_version),
        version.n_tasks,
        version.n_missing
    );
    for control in &version.controls {
        html.extend([format!(
            "<h3>{} &lt;{}&gt;, {} tasks</h3>",
            escaped(&control.name),
            escaped(&control.tag),
            control.n_tasks
        )]);
        html += "<table><tr><th>metric</th><th>value</th><th>95 % interval</th><th></th></tr>";
        for measure in &control.measures {
            html += &measure_row(measure);
        }
        html += "</table>";
        html += &label_table(control);
        if let Some(confusion) = &control.confusion {
            html += &matrix(confusion);
        }
        if let Some(pairs) = pairs {
            html += &worst(control, pairs, shown)?;
        }
    }
    Ok(html)
}

fn measure_row(measure: &Measure) -> String {
    let interval = measure.interval;
    let place = |value: f64| (value.clamp(0.0, 1.0) * 100.0).round();
    // Errors of numbers have no fixed scale to draw them on.
    let bar = if measure.name == "mae" {
        String::new()
    } else {
        format!(
            "<svg class=\"bar\" viewBox=\"0 0 100 8\"><rect width=\"100\" height=\"8\" fill=\"#eee\"/>\
             <rect x=\"{low}\" width=\"{width}\" height=\"8\" fill=\"#9bd\"/>\
             <rect x=\"{at}\" width=\"1\" height=\"8\" fill=\"#035\"/></svg>",
            low = place(interval.low),
            width = (place(interval.high) - place(interval.low)).max(0.5),
            at = place(interval.value).min(99.0),
        )
    };
    format!(
        "<tr><td>{}</td><td>{:.4}</td><td>{:.4} to {:.4}</td><td>{bar}</td></tr>",
        measure.name, interval.value, interval.low, interval.high
    )
}

fn label_table(control: &ControlReport) -> String {
    if control.labels.is_empty() {
        return String::new();
    }
    let rows = control.labels.iter().map(|row| {
        format!(
            "<tr><td>{}</td><td>{:.4}</td><td>{:.4}</td><td>{:.4}</td><td>{}</td></tr>",
            escaped(&row.label),
            row.precision,
            row.recall,
            row.f1,
            row.support
        )
    });
    format!(
        "<table><tr><th>label</th><th>precision</th><th>recall</th><th>F1</th><th>expected</th></tr>{}</table>",
        rows.collect::<String>()
    )
}

fn matrix(confusion: &Confusion) -> String {
    let mut html = String::from(
        "<p>Confusion matrix: a row for each expected label, a column for each predicted one</p>\
         <table class=\"matrix\"><tr><th></th>",
    );
    for label in &confusion.labels {
        // Writing to a string cannot fail.
        let _ = write!(html, "<th>{}</th>", escaped(label));
    }
    html += "</tr>";
    for (label, counts) in confusion.labels.iter().zip(&confusion.counts) {
        let n_expected = counts.iter().sum::<usize>().max(1);
        let _ = write!(html, "<tr><th>{}</th>", escaped(label));
        for count in counts {
            let share = count * 100 / n_expected;
            let _ = write!(
                html,
                "<td style=\"background:color-mix(in srgb,#49c {share}%,#fff)\">{count}</td>"
            );
        }
        html += "</tr>";
    }
    html + "</table>"
}

/// Draws the worst tasks: what was expected beside what was predicted.
fn worst(
    control: &ControlReport,
    pairs: &VersionPairs,
    shown: &ShownTasks<'_>,
) -> anyhow::Result<String> {
    let worst = &control.worst[..control.worst.len().min(N_DRAWN)];
    let ids: Vec<_> = worst.iter().map(|(task, _)| *task).collect();
    let tasks = tasks_of(shown.client, shown.project, &ids, shown.patience)?;
    let tasks: BTreeMap<i64, &Task> = tasks
        .iter()
        .filter_map(|task| Some((task.id?, task)))
        .collect();
    let mut html = String::from("<p>Worst tasks</p>");
    for (id, value) in worst {
        let pair = pairs.pairs.iter().find(|pair| pair.task == *id);
        let (Some(task), Some(pair)) = (tasks.get(id), pair) else {
            continue;
        };
        html += &drawn(control, task, pair, *value, shown);
    }
    Ok(html)
}

fn drawn(
    control: &ControlReport,
    task: &Task,
    pair: &Pair,
    value: f64,
    shown: &ShownTasks<'_>,
) -> String {
    let metric = control.measures.first().map_or("", |measure| measure.name);
    let url = shown.client.url();
    let mut data = task.data.clone();
    for value in data.values_mut() {
        // Uploaded files have addresses without a host.
        if let Some(path) = value.as_str().and_then(|path| path.strip_prefix("/data/")) {
            *value = format!("{url}data/{path}").into();
        }
    }
    let side = |title: &str, regions: &[label_studio_sdk::Region]| {
        let of_control = regions
            .iter()
            .filter(|region| region.from_name == control.name);
        let regions: Vec<_> = of_control.cloned().collect();
        format!(
            "<div><b>{title}</b>{}</div>",
            body(&data, shown.label_config, &regions)
        )
    };
    format!(
        "<details><summary><a href=\"{}projects/{}/data?task={id}\">task {id}</a>: {metric} {value:.4}</summary>\
         <div class=\"both\">{}{}</div></details>",
        escaped(url),
        shown.project,
        side("expected", &pair.expected),
        side("predicted", &pair.predicted),
        id = pair.task,
    )
}
