//! Results of several object tags, joined.

/// Joins what was found on the images of several object tags into one result per task.
///
/// Each item comes with the position of its control tag, and the items of a task are returned in the order of these; or
/// the first error of the task. `by_object` has one list for each object tag, with a result for each of `n_tasks` tasks.
pub fn joined<T>(
    n_tasks: usize,
    by_object: impl IntoIterator<Item = Vec<anyhow::Result<Vec<(usize, T)>>>>,
) -> Vec<anyhow::Result<Vec<T>>> {
    let none = (0..n_tasks).map(|_| Ok(Vec::new())).collect();
    let all = by_object
        .into_iter()
        .fold(none, |all: Vec<anyhow::Result<Vec<_>>>, of_object| {
            let pairs = all.into_iter().zip(of_object);
            pairs
                .map(|(all, found)| Ok([all?, found?].into_iter().flatten().collect()))
                .collect()
        });
    let in_order = |mut found: Vec<(usize, T)>| {
        found.sort_by_key(|(control_idx, _)| *control_idx);
        found.into_iter().map(|(_, item)| item).collect()
    };
    all.into_iter().map(|found| found.map(in_order)).collect()
}
