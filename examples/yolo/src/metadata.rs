//! What an exported network says about itself.

use std::{collections::BTreeMap, fmt};

use label_studio_ml::{
    anyhow::{self, Context, bail, ensure},
    sdk::python::Literal,
};

/// More classes than any network has; keeps a broken file from taking memory.
const MAX_CLASSES: usize = 100_000;
const MAX_SIDE: usize = 16_384;

/// What a network was trained for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NetworkTask {
    /// A probability for each class.
    Classify,
    /// Boxes.
    Detect,
    /// Boxes that are turned around their centre.
    Obb,
    /// Boxes and masks.
    Segment,
    /// Boxes and key points.
    Pose,
}

impl NetworkTask {
    const ALL: [Self; 5] = [
        Self::Classify,
        Self::Detect,
        Self::Obb,
        Self::Segment,
        Self::Pose,
    ];

    /// Returns the name that Ultralytics gives it as a “task”.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classify => "classify",
            Self::Detect => "detect",
            Self::Obb => "obb",
            Self::Segment => "segment",
            Self::Pose => "pose",
        }
    }
}

impl fmt::Display for NetworkTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an exported network says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What it was trained for.
    pub task: NetworkTask,
    /// Names of its classes, by number.
    pub names: Vec<String>,
    /// Sides of a dynamic input are multiples of this.
    pub stride: u32,
    /// Width and height that it was trained or exported for.
    pub size: (u32, u32),
    /// Number of key points, and of numbers per key point: 2 without visibility, 3 with it.
    pub key_points: Option<(usize, usize)>,
    /// Boxes come out final, without overlaps left to suppress.
    pub is_end_to_end: bool,
}

impl Metadata {
    /// Reads the metadata of an ONNX file.
    pub fn read(fields: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let literal = |name: &str| {
            let text = fields.get(name).map(String::as_str);
            let parsed = text.map(Literal::parse).transpose();
            parsed.with_context(|| format!("metadata field {name}"))
        };
        let Some(name) = fields.get("task") else {
            bail!(
                "it has no metadata field task, so it was not exported by Ultralytics; export it with \
                 `yolo export model=NAME.pt format=onnx dynamic=True`"
            );
        };
        let Some(task) = NetworkTask::ALL
            .into_iter()
            .find(|task| task.as_str() == name)
        else {
            bail!("its task {name:?} is none of classify, detect, obb, segment and pose");
        };
        let key_points = match literal("kpt_shape")? {
            Some(shape) => {
                Some(pair(&shape).context("metadata field kpt_shape is not two numbers")?)
            }
            None => None,
        };
        if let Some((n_points, n_numbers)) = key_points {
            ensure!(
                (1..=10_000).contains(&n_points) && (2..=3).contains(&n_numbers),
                "metadata field kpt_shape is [{n_points}, {n_numbers}]"
            );
        }
        ensure!(
            task != NetworkTask::Pose || key_points.is_some(),
            "it has no metadata field kpt_shape"
        );
        let stride = literal("stride")?.as_ref().and_then(largest).unwrap_or(32);
        let is_true = |literal: Option<&Literal>| literal == Some(&Literal::Bool(true));
        let args = literal("args")?;
        Ok(Self {
            task,
            names: names(&literal("names")?.context("it has no metadata field names")?)?,
            stride: u32::try_from(stride).unwrap_or(32).clamp(1, 1024),
            size: size(literal("imgsz")?.as_ref(), task)?,
            key_points,
            is_end_to_end: is_true(literal("end2end")?.as_ref())
                || is_true(args.as_ref().and_then(|args| args.get("nms"))),
        })
    }

    /// Returns the numbers that follow the classes of each box; unknown for masks, whose number is up to the network.
    pub fn n_extra(&self) -> Option<usize> {
        match self.task {
            NetworkTask::Classify | NetworkTask::Detect => Some(0),
            NetworkTask::Obb => Some(1),
            NetworkTask::Segment => None,
            NetworkTask::Pose => self
                .key_points
                .map(|(n_points, n_numbers)| n_points * n_numbers),
        }
    }
}

fn names(literal: &Literal) -> anyhow::Result<Vec<String>> {
    let problem = "metadata field names is not a dict of texts by number";
    let text = |literal: &Literal| match literal {
        Literal::Text(text) => Ok(text.clone()),
        _ => bail!(problem),
    };
    let entries = match literal {
        Literal::List(names) => return names.iter().map(text).collect(),
        Literal::Dict(entries) => entries,
        _ => bail!(problem),
    };
    let mut names = Vec::new();
    for (number, name) in entries {
        let number = number.as_natural().context(problem)?;
        ensure!(
            number < MAX_CLASSES,
            "metadata field names has class {number}"
        );
        if names.len() <= number {
            names.resize(number + 1, String::new());
        }
        names[number] = text(name)?;
    }
    ensure!(!names.is_empty(), "metadata field names is empty");
    Ok(names)
}

/// Reads `[height, width]` or one number for both.
fn size(literal: Option<&Literal>, task: NetworkTask) -> anyhow::Result<(u32, u32)> {
    let default = match task {
        NetworkTask::Classify => 224,
        NetworkTask::Obb => 1024,
        NetworkTask::Detect | NetworkTask::Segment | NetworkTask::Pose => 640,
    };
    let (height, width) = match literal {
        None => (default, default),
        Some(sides) => pair(sides)
            .or_else(|| sides.as_natural().map(|side| (side, side)))
            .context("metadata field imgsz is neither a number nor two")?,
    };
    let side = |side: usize| {
        ensure!(
            (1..=MAX_SIDE).contains(&side),
            "metadata field imgsz asks for {side} pixels"
        );
        Ok(u32::try_from(side)?)
    };
    Ok((side(width)?, side(height)?))
}

fn pair(literal: &Literal) -> Option<(usize, usize)> {
    match literal.as_list()? {
        [first, second] => Some((first.as_natural()?, second.as_natural()?)),
        _ => None,
    }
}

/// The stride is a number, or a list of the strides of all levels.
fn largest(literal: &Literal) -> Option<usize> {
    let levels = literal.as_list().map(<[Literal]>::iter);
    match levels {
        Some(levels) => levels.filter_map(Literal::as_natural).max(),
        None => literal.as_natural(),
    }
}
