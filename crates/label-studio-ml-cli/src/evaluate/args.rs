//! The flags of `evaluate`.

use std::{fmt, path::PathBuf, str::FromStr};

use clap::{Args, ValueHint};

use crate::project::{LabelStudioConnection, ModelArgs, SelectionArgs};

const EXAMPLES: &str = "\
Examples:
  label-studio-ml evaluate --project 3
  label-studio-ml evaluate --project 3 --html report.html --json report.json
  label-studio-ml evaluate --project 3 --predict --backend my_backend
  label-studio-ml evaluate --project 3 --fail-under f1=0.8 --fail-under mood.accuracy=0.9

Predictions are compared with the annotations that are marked as ground truth; in tasks without such
a mark, with the newest one that was not skipped. docs/projects.md explains the metrics.

Exit code 3: a metric of the newest model version misses a threshold.";

/// Compare predictions with the annotations of a project
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EvaluateArgs {
    /// Number of the project in Label Studio
    #[arg(long, value_name = "ID")]
    pub(super) project: i64,

    #[command(flatten)]
    pub(super) selection: SelectionArgs,

    /// Only predictions of this model version; default: each version by itself
    #[arg(long, value_name = "NAME")]
    pub(super) model_version: Option<String>,

    /// Ask the backend for predictions instead of reading the stored ones; they are not stored
    #[arg(long, conflicts_with = "model_version")]
    pub(super) predict: bool,

    /// Fail if a metric is worse: METRIC=VALUE, or CONTROL.METRIC=VALUE for one control; may be given several times
    #[arg(long, value_name = "METRIC=VALUE")]
    pub(super) fail_under: Vec<Threshold>,

    /// File for a page with tables, plots and the worst tasks
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) html: Option<PathBuf>,

    /// File for everything as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) json: Option<PathBuf>,

    /// Draws of tasks from which the 95 % intervals are computed
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    pub(super) samples: usize,

    #[command(flatten)]
    pub(super) model: ModelArgs,

    #[command(flatten)]
    pub(super) connection: LabelStudioConnection,
}

/// A value that a metric must reach; an error must not exceed it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Threshold {
    pub(super) control: Option<String>,
    pub(super) metric: String,
    pub(super) value: f64,
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=');
        let parsed = parts.and_then(|(name, value)| {
            let value = value
                .trim()
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())?;
            Some((name.trim(), value))
        });
        let (name, value) = parsed.ok_or("write it as METRIC=VALUE, such as f1=0.8")?;
        let (control, metric) = match name.rsplit_once('.') {
            Some((control, metric)) => (Some(control.to_owned()), metric),
            None => (None, name),
        };
        Ok(Self {
            control,
            metric: metric.to_owned(),
            value,
        })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.control {
            Some(control) => write!(f, "{control}.{}", self.metric),
            None => write!(f, "{}", self.metric),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Threshold;

    #[test]
    fn thresholds_are_for_all_controls_or_one() {
        let threshold: Threshold = "my.control.f1=0.5".parse().unwrap();
        assert_eq!(threshold.control.as_deref(), Some("my.control"));
        assert_eq!((threshold.metric.as_str(), threshold.value), ("f1", 0.5));
        assert_eq!("f1 = 1".parse::<Threshold>().unwrap().control, None);
        for wrong in ["f1", "f1=x", "f1=NaN", ""] {
            assert!(wrong.parse::<Threshold>().is_err(), "{wrong}");
        }
    }
}
