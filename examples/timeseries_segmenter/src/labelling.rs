//! What annotations say of each row.

use label_studio_ml::{Control, Region, sdk::Annotation};

use crate::times::{TimeColumn, TimeKeys};

/// Kind of region that a `<TimeSeriesLabels>` control makes.
const TIMESERIESLABELS: &str = "timeserieslabels";

/// The classes of the rows of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowLabels {
    /// Class of each row: 0 for the background, then the labels of the control. A row with a label
    /// that the control does not have is `None`.
    pub classes: Vec<Option<u16>>,
    /// Rows in all ranges together, as often as ranges have them.
    pub n_labelled: usize,
    /// Ranges that could not be compared with the times of the series.
    pub n_left_out: usize,
}

/// Returns the class of each row. Later regions win over earlier ones, and later annotations over
/// earlier ones, up to the first that is ground truth. Skipped annotations count for nothing.
pub fn row_labels(
    annotations: &[Annotation],
    control: &Control,
    (column, keys): (&TimeColumn, &TimeKeys),
) -> RowLabels {
    let mut labels = RowLabels {
        classes: vec![Some(0); keys.len()],
        n_labelled: 0,
        n_left_out: 0,
    };
    let with_results = annotations
        .iter()
        .filter(|annotation| !annotation.is_skipped() && !annotation.result.is_empty());
    for annotation in with_results {
        let regions = annotation
            .result
            .iter()
            .filter_map(|entry| entry.as_region());
        for region in regions
            .filter(|region| region.from_name == control.name && region.kind == TIMESERIESLABELS)
        {
            labels.add(region, control, (column, keys));
        }
        if annotation.ground_truth {
            break;
        }
    }
    labels
}

impl RowLabels {
    fn add(
        &mut self,
        region: &Region,
        control: &Control,
        (column, keys): (&TimeColumn, &TimeKeys),
    ) {
        let time = |name: &str| column.key_of(region.value.get(name)?);
        let range = time("start").zip(time("end"));
        let rows = range.and_then(|(start, end)| keys.between(&start, &end));
        let label = region
            .value
            .get(TIMESERIESLABELS)
            .and_then(|labels| labels.get(0)?.as_str());
        let (Some(rows), Some(label)) = (rows, label) else {
            self.n_left_out += 1;
            return;
        };
        let place = control.labels.iter().position(|known| known == label);
        let class = place.and_then(|place| u16::try_from(place + 1).ok());
        self.n_labelled += rows.len();
        self.classes[rows].fill(class);
    }
}
