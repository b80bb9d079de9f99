//! The annotated series of a project.

use std::collections::BTreeMap;

use label_studio_ml::{
    Project, Task,
    anyhow::{self, ensure},
    sdk::Annotation,
};

use crate::{
    labelling::row_labels,
    reading::{Facts, Row, read_task},
    tags::Tags,
    times::TimeKeys,
};

/// Fewest series of which some are held out.
const MIN_SERIES: usize = 5;
/// One series in so many is held out.
const ONE_IN: usize = 5;

/// A series with the class of each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Label Studio's number of the task.
    pub task: Option<i64>,
    /// Values of the channels, row by row; NaN before the first number of a channel.
    pub rows: Vec<f32>,
    /// Class of each row, 0 for the background; `None` for a label that is gone.
    pub classes: Vec<Option<u16>>,
}

/// Reads the series of all annotated tasks, and those of all entries of a `Repeater`. Those that
/// cannot be read are left out, and the project's job gets the reason.
///
/// # Errors
/// When the job is cancelled.
pub fn samples(project: &Project, tasks: &[Task]) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let job = project.job();
    for (number, task) in tasks.iter().enumerate() {
        ensure!(!job.is_cancelled(), "the training was cancelled");
        let message = format!("reading task {} of {}", number + 1, tasks.len());
        job.progress(0.0, &message);
        let name = task
            .id
            .map_or_else(|| "a task".to_owned(), |id| format!("task {id}"));
        match samples_of(project, task) {
            Ok(own) => {
                for (sample, notes) in own {
                    for note in notes {
                        job.log(&format!("{name}: {note}"));
                    }
                    samples.push(sample);
                }
            }
            Err(error) => {
                tracing::warn!(task = task.id, "task left out of the training: {error:#}");
                job.log(&format!("{name} is left out: {error:#}"));
            }
        }
    }
    Ok(samples)
}

/// Says what is unusual about a series.
pub(crate) fn notes(facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    if facts.n_gaps > 0 {
        notes.push(format!(
            "{} values are missing or no numbers; the last ones before them count",
            facts.n_gaps
        ));
    }
    if let Some((shortest, longest)) = facts.times.irregular_steps() {
        notes.push(format!(
            "the times of its rows are {shortest} to {longest} apart; the model sees rows, not times"
        ));
    }
    notes
}

/// Chooses a fifth of the series to score a training with, by their tasks' numbers. No class is
/// taken out of the training as a whole; below 5 series none is held out.
pub fn split(samples: Vec<Sample>) -> (Vec<Sample>, Vec<Sample>) {
    let n_held_out = if samples.len() < MIN_SERIES {
        0
    } else {
        samples.len() / ONE_IN
    };
    let classes = |sample: &Sample| {
        let mut classes: Vec<u16> = sample.classes.iter().copied().flatten().collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    };
    let mut n_with: BTreeMap<u16, usize> = BTreeMap::new();
    for class in samples.iter().flat_map(classes) {
        *n_with.entry(class).or_default() += 1;
    }
    let mut order: Vec<usize> = (0..samples.len()).collect();
    order.sort_by_key(|idx| mixed(samples[*idx].task.unwrap_or_default().cast_unsigned()));
    let mut held_out = vec![false; samples.len()];
    let mut n_left = n_held_out;
    for idx in order {
        let own = classes(&samples[idx]);
        if n_left > 0 && own.iter().all(|class| n_with[class] > 1) {
            for class in own {
                n_with.entry(class).and_modify(|n| *n -= 1);
            }
            held_out[idx] = true;
            n_left -= 1;
        }
    }
    let (held_out, learned): (Vec<_>, Vec<_>) = samples
        .into_iter()
        .zip(held_out)
        .partition(|(_, is_held_out)| *is_held_out);
    let series = |pairs: Vec<(Sample, bool)>| pairs.into_iter().map(|(sample, _)| sample).collect();
    (series(learned), series(held_out))
}

/// Reads the series of a task that was annotated, each with what is unusual about it; none for a
/// task that was only skipped.
fn samples_of(project: &Project, task: &Task) -> anyhow::Result<Vec<(Sample, Vec<String>)>> {
    let annotations = task.annotations()?;
    if annotations.iter().all(Annotation::is_skipped) {
        return Ok(Vec::new());
    }
    let mut samples = Vec::new();
    for entry in project.label_config().for_entries(&task.data)? {
        let tags = Tags::find(&entry)?;
        samples.extend(sample((project, task), &tags, &annotations)?);
    }
    Ok(samples)
}

/// Reads one series; `None` for one without rows.
fn sample(
    (project, task): (&Project, &Task),
    tags: &Tags<'_>,
    annotations: &[Annotation],
) -> anyhow::Result<Option<(Sample, Vec<String>)>> {
    let (mut rows, mut keys) = (Vec::new(), TimeKeys::default());
    let facts = read_task((project, task), tags, &tags.channels(), &mut |row: Row<
        '_,
    >| {
        rows.extend_from_slice(row.values);
        keys.push(row.key);
        Ok(())
    })?;
    if keys.is_empty() {
        return Ok(None);
    }
    let labels = row_labels(annotations, tags.control, (&facts.times, &keys));
    let mut notes = notes(&facts);
    if labels.n_left_out > 0 {
        notes.push(format!(
            "{} ranges are left out: their start and end are not like the times of the series",
            labels.n_left_out
        ));
    }
    let n_unknown = labels
        .classes
        .iter()
        .filter(|class| class.is_none())
        .count();
    if n_unknown > 0 {
        notes.push(format!(
            "{n_unknown} rows are left out: the label config does not have their label any more"
        ));
    }
    let sample = Sample {
        task: task.id,
        rows,
        classes: labels.classes,
    };
    Ok(Some((sample, notes)))
}

/// Returns bits that look random: the finalizer of `SplitMix64`.
fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Sample, split};

    fn sample(task: i64, classes: &[u16]) -> Sample {
        Sample {
            task: Some(task),
            rows: vec![0.0; classes.len()],
            classes: classes.iter().copied().map(Some).collect(),
        }
    }

    #[test]
    fn a_fifth_is_held_out_whatever_the_order_and_no_class_is_lost() {
        let mut samples: Vec<_> = (0..10).map(|task| sample(task, &[0, 1])).collect();
        samples.push(sample(10, &[0, 2]));
        let tasks = |samples: &[Sample]| {
            let mut tasks: Vec<_> = samples.iter().map(|sample| sample.task).collect();
            tasks.sort_unstable();
            tasks
        };
        let (learned, held_out) = split(samples.clone());
        assert_eq!((learned.len(), held_out.len()), (9, 2));
        assert!(tasks(&learned).contains(&Some(10)));
        samples.reverse();
        assert_eq!(tasks(&split(samples).1), tasks(&held_out));
        let few: Vec<_> = (0..4).map(|task| sample(task, &[0, 1])).collect();
        assert_eq!(split(few).1, []);
    }
}
