//! The parameters of trackers: files of Ultralytics' kind, and attributes that override them.

use std::{fs, path::PathBuf};

use label_studio_ml::{
    Control,
    anyhow::{self, Context, bail, ensure},
};
use label_studio_vision::video::tracks::{Method, TrackerParams};

/// Larger files are no parameters of a tracker.
const MAX_FILE_BYTES: u64 = 64 << 10;
const DEFAULT_TRACKER: &str = "botsort";
/// Parameters of appearance, which is not looked at: read, checked, and of no effect.
const APPEARANCE: [&str; 4] = [
    "proximity_thresh",
    "appearance_thresh",
    "with_reid",
    "model",
];
const NAMES: &str = "track_high_thresh, track_low_thresh, new_track_thresh, track_buffer, match_thresh, fuse_score, \
    gmc_method, proximity_thresh, appearance_thresh, with_reid";

/// Where files with the parameters of trackers are: `NAME.yaml` in this folder. `botsort` and
/// `bytetrack` are known without a file.
#[derive(Debug, Clone)]
pub struct TrackerFiles {
    /// The folder.
    pub root: PathBuf,
}

impl TrackerFiles {
    /// Returns the parameters that a control tag asks for: those of the tracker that its attribute
    /// `model_tracker` names, and its attributes `TRACKER_PARAMETER`.
    pub fn params(&self, control: &Control) -> anyhow::Result<TrackerParams> {
        let tracker = control
            .attr("model_tracker")
            .unwrap_or(DEFAULT_TRACKER)
            .trim();
        let mut params = self.of_tracker(tracker)?;
        let prefix = format!("{tracker}_").to_ascii_lowercase();
        for (name, text) in control.attrs.iter() {
            let name = name.to_ascii_lowercase();
            if let Some(parameter) = name.strip_prefix(&prefix) {
                params = with(params, parameter, text).with_context(|| {
                    format!(
                        "attribute {name} of <{} name={:?}>",
                        control.tag, control.name
                    )
                })?;
            }
        }
        Ok(params)
    }

    fn of_tracker(&self, tracker: &str) -> anyhow::Result<TrackerParams> {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        ensure!(
            !tracker.is_empty() && tracker.chars().all(is_letter),
            "model_tracker {tracker:?} is no name of a tracker: botsort, bytetrack, or that of a YAML file in MODEL_ROOT \
             without its ending"
        );
        let path = self.root.join(format!("{tracker}.yaml"));
        let is_small = |file: fs::Metadata| file.is_file() && file.len() <= MAX_FILE_BYTES;
        if !fs::metadata(&path).is_ok_and(is_small) {
            return built_in(tracker).with_context(|| {
                format!(
                    "there is no tracker {tracker:?}: botsort and bytetrack are known, others need a file {}",
                    path.display()
                )
            });
        }
        let of_file = || format!("tracker file {}", path.display());
        let text = fs::read_to_string(&path).with_context(of_file)?;
        of_yaml(&text).with_context(of_file)
    }
}

fn built_in(name: &str) -> Option<TrackerParams> {
    match name {
        "botsort" => Some(TrackerParams::bot_sort()),
        "bytetrack" => Some(TrackerParams::byte_track()),
        _ => None,
    }
}

/// Reads a file of lines `name: value`, with comments after `#`.
fn of_yaml(text: &str) -> anyhow::Result<TrackerParams> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let mut entries = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && *line != "---") {
        let (name, value) = line
            .split_once(':')
            .with_context(|| format!("{line:?} is no parameter"))?;
        entries.push((name.trim(), value.trim().trim_matches(['"', '\''])));
    }
    let kind = entries.iter().find(|(name, _)| *name == "tracker_type");
    let kind = kind.map_or(DEFAULT_TRACKER, |(_, kind)| *kind);
    let params = built_in(kind).with_context(|| {
        format!("tracker_type is {kind:?}, and only botsort and bytetrack are known")
    })?;
    let others = entries.iter().filter(|(name, _)| *name != "tracker_type");
    others
        .copied()
        .try_fold(params, |params, (name, value)| with(params, name, value))
}

/// Sets a parameter.
fn with(mut params: TrackerParams, name: &str, text: &str) -> anyhow::Result<TrackerParams> {
    let text = text.trim();
    let number = || match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => bail!("{name} is {text:?}, not a number"),
    };
    // As the original reads them: anything else is off.
    let switch = text.eq_ignore_ascii_case("true");
    let is_of_bot_sort = params.method == Method::BotSort;
    match name {
        "track_high_thresh" => params.track_high_thresh = number()?,
        "track_low_thresh" => params.track_low_thresh = number()?,
        "new_track_thresh" => params.new_track_thresh = number()?,
        "match_thresh" => params.match_thresh = number()?,
        "track_buffer" => {
            let frames = text.parse();
            params.track_buffer =
                frames.with_context(|| format!("{name} is {text:?}, not a number of frames"))?;
        }
        "fuse_score" => params.fuse_score = switch,
        "gmc_method" if is_of_bot_sort => {
            params.follows_camera = match text {
                "sparseOptFlow" => true,
                "none" | "None" => false,
                _ => bail!("gmc_method is {text:?}, and only sparseOptFlow and none are known"),
            }
        }
        "with_reid" if is_of_bot_sort && switch => {
            bail!("with_reid is on, but tracks are not joined by appearance here; set it to False")
        }
        _ if is_of_bot_sort && APPEARANCE.contains(&name) => {}
        _ => bail!("a tracker has no parameter {name:?}; there are {NAMES}"),
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use label_studio_ml::LabelConfig;

    use super::*;

    fn params(attributes: &str) -> anyhow::Result<TrackerParams> {
        let text = format!(
            "<View><Labels name=\"l\" toName=\"v\"><Label value=\"x\"/></Labels><Video name=\"v\" value=\"$v\"/>\
             <VideoRectangle name=\"b\" toName=\"v\" {attributes}/></View>"
        );
        let config = LabelConfig::parse(&text).unwrap();
        let root = std::env::temp_dir().join("no-such-folder");
        TrackerFiles { root }.params(config.control("b").unwrap())
    }

    #[test]
    fn attributes_override_the_parameters_of_their_tracker_only() {
        let vector = include_str!("../../tests/vectors/yolo_video_rectangle_units.json");
        let vector: label_studio_ml::Value = label_studio_ml::serde_json::from_str(vector).unwrap();
        let case = &vector["tracker_param_override"];
        let attributes = case["attributes"].as_object().unwrap().iter();
        let attributes: Vec<_> = attributes
            .map(|(name, text)| format!("{name}={text}"))
            .collect();
        let found = params(&attributes.join(" ")).unwrap();
        let expected = &case["expected"];
        let number = |name: &str| expected[name].as_f64().unwrap();
        assert_eq!(
            found,
            TrackerParams {
                method: Method::BotSort,
                track_high_thresh: number("track_high_thresh"),
                track_low_thresh: number("track_low_thresh"),
                new_track_thresh: number("new_track_thresh"),
                track_buffer: expected["track_buffer"].as_u64().unwrap(),
                match_thresh: number("match_thresh"),
                fuse_score: expected["fuse_score"].as_bool().unwrap(),
                follows_camera: expected["gmc_method"] != "none",
            }
        );
        let other = params("model_tracker=\"bytetrack\" botsort_track_high_thresh=\"0.9\"");
        assert_eq!(other.unwrap(), TrackerParams::byte_track());
    }

    #[test]
    fn unknown_trackers_and_parameters_are_named() {
        for (attributes, expected) in [
            ("botsort_speed=\"3\"", "no parameter \"speed\""),
            (
                "model_tracker=\"bytetrack\" bytetrack_gmc_method=\"none\"",
                "no parameter \"gmc_method\"",
            ),
            ("botsort_track_buffer=\"soon\"", "not a number of frames"),
            ("botsort_match_thresh=\"nan\"", "not a number"),
            ("botsort_with_reid=\"true\"", "appearance"),
            ("botsort_gmc_method=\"orb\"", "sparseOptFlow and none"),
            ("model_tracker=\"deepsort\"", "there is no tracker"),
            ("model_tracker=\"../x\"", "no name of a tracker"),
        ] {
            let error = format!("{:#}", params(attributes).unwrap_err());
            assert!(error.contains(expected), "{attributes}: {error}");
        }
    }

    #[test]
    fn a_file_of_ultralytics_is_read_with_its_comments() {
        let text = "# Default\ntracker_type: botsort # backend\ntrack_high_thresh: 0.3\nnew_track_thresh: 0.35 # new\n\
            fuse_score: True\n\ngmc_method: none\nwith_reid: False\nmodel: auto\n";
        let found = of_yaml(text).unwrap();
        assert_eq!(
            found,
            TrackerParams {
                track_high_thresh: 0.3,
                new_track_thresh: 0.35,
                follows_camera: false,
                ..TrackerParams::bot_sort()
            }
        );
        assert!(of_yaml("tracker_type: deepocsort").is_err());
        assert!(of_yaml("nonsense").is_err());
    }
}
