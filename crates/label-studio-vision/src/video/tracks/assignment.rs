//! The best way to join tracks and boxes.

/// Joins rows and columns so that the sum of what each pair's cost lies below `limit` is the
/// largest. Returns the column of each row. Rows and columns may stay alone.
///
/// Most tracks have few boxes near them, so the pairs that may be joined fall into small groups,
/// each of which is solved alone.
pub(super) fn assign(costs: &[Vec<f32>], n_columns: usize, limit: f64) -> Vec<Option<usize>> {
    let gain = |row: usize, column: usize| limit - f64::from(costs[row][column]);
    let mut joined = vec![None; costs.len()];
    let mut is_row_seen = vec![false; costs.len()];
    let mut is_column_seen = vec![false; n_columns];
    for first in 0..costs.len() {
        if is_row_seen[first] {
            continue;
        }
        is_row_seen[first] = true;
        let (mut rows, mut columns) = (vec![first], Vec::new());
        let mut next = 0;
        while let Some(&row) = rows.get(next) {
            next += 1;
            for column in (0..n_columns).filter(|&column| gain(row, column) > 0.0) {
                if is_column_seen[column] {
                    continue;
                }
                is_column_seen[column] = true;
                columns.push(column);
                for (other, is_seen) in is_row_seen.iter_mut().enumerate() {
                    if !*is_seen && gain(other, column) > 0.0 {
                        *is_seen = true;
                        rows.push(other);
                    }
                }
            }
        }
        let best = solve(rows.len(), columns.len(), |row, column| {
            gain(rows[row], columns[column]).max(0.0)
        });
        for (row, column) in best.into_iter().enumerate() {
            joined[rows[row]] = column.map(|column| columns[column]);
        }
    }
    joined
}

/// The Hungarian method with potentials; each row may also take a column of its own for nothing.
fn solve(
    n_rows: usize,
    n_columns: usize,
    gain: impl Fn(usize, usize) -> f64,
) -> Vec<Option<usize>> {
    let width = n_columns + n_rows;
    let cost = |row: usize, column: usize| {
        if column < n_columns {
            -gain(row, column)
        } else {
            0.0
        }
    };
    // Rows and columns count from 1; row 0 means none, column 0 is where the search starts.
    let (mut of_row, mut of_column) = (vec![0.0; n_rows + 1], vec![0.0; width + 1]);
    let mut row_at = vec![0_usize; width + 1];
    let mut previous = vec![0_usize; width + 1];
    for row in 1..=n_rows {
        row_at[0] = row;
        let mut least = vec![f64::INFINITY; width + 1];
        let mut is_used = vec![false; width + 1];
        let mut column = 0;
        while row_at[column] != 0 {
            is_used[column] = true;
            let current = row_at[column];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for other in (1..=width).filter(|&other| !is_used[other]) {
                let reduced = cost(current - 1, other - 1) - of_row[current] - of_column[other];
                if reduced < least[other] {
                    (least[other], previous[other]) = (reduced, column);
                }
                if least[other] < delta {
                    (delta, next) = (least[other], other);
                }
            }
            for other in 0..=width {
                if is_used[other] {
                    of_row[row_at[other]] += delta;
                    of_column[other] -= delta;
                } else {
                    least[other] -= delta;
                }
            }
            column = next;
        }
        while column != 0 {
            row_at[column] = row_at[previous[column]];
            column = previous[column];
        }
    }
    let mut best = vec![None; n_rows];
    for (column, row) in row_at[1..=n_columns].iter().enumerate() {
        if let Some(row) = row.checked_sub(1)
            && gain(row, column) > 0.0
        {
            best[row] = Some(column);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::assign;

    #[test]
    fn the_sum_counts_not_the_nearest_pair() {
        // The nearest pair is (0, 0), but then row 1 stays alone.
        let costs = vec![vec![0.1, 0.2], vec![0.15, 0.9]];
        assert_eq!(assign(&costs, 2, 0.8), [Some(1), Some(0)]);
        assert_eq!(assign(&costs, 2, 0.12), [Some(0), None]);
        assert_eq!(assign(&[vec![], vec![]], 0, 0.8), [None, None]);
    }

    #[test]
    fn no_other_way_to_join_is_better() {
        // A fixed sequence of pseudo-random costs.
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from((state >> 16) as u16) / 65536.0
        };
        for (n_rows, n_columns) in [(1, 1), (2, 4), (4, 2), (4, 4), (5, 5)] {
            for _ in 0..40 {
                let costs: Vec<Vec<f32>> = (0..n_rows)
                    .map(|_| (0..n_columns).map(|_| next()).collect())
                    .collect();
                let joined = assign(&costs, n_columns, 0.6);
                let gain = |row: usize, column: usize| 0.6 - f64::from(costs[row][column]);
                let pairs = joined.iter().enumerate();
                let found: f64 = pairs
                    .filter_map(|(row, column)| Some(gain(row, (*column)?)))
                    .sum();
                let best = best_gain(0, &mut vec![false; n_columns], n_rows, &gain);
                assert!((found - best).abs() < 1e-9, "{found} {best} {costs:?}");
            }
        }
    }

    fn best_gain(
        row: usize,
        used: &mut [bool],
        n_rows: usize,
        gain: &dyn Fn(usize, usize) -> f64,
    ) -> f64 {
        if row == n_rows {
            return 0.0;
        }
        let mut best = best_gain(row + 1, used, n_rows, gain);
        for column in 0..used.len() {
            if !used[column] {
                used[column] = true;
                best = best.max(gain(row, column) + best_gain(row + 1, used, n_rows, gain));
                used[column] = false;
            }
        }
        best
    }
}
