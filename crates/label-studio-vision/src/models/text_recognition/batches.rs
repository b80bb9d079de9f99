//! Batches of crops.

/// Returns the positions of crops that run together, at most `max_crops` of them: narrow ones
/// first, so that little padding is computed. `aspects` are widths by heights; crops of equal
/// aspect keep their order.
pub fn by_width(aspects: &[f64], max_crops: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..aspects.len()).collect();
    order.sort_by(|&a, &b| aspects[a].total_cmp(&aspects[b]));
    order
        .chunks(max_crops.max(1))
        .map(<[usize]>::to_vec)
        .collect()
}
