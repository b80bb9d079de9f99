//! A loaded network: images in, answers out.

use std::{path::Path, sync::Arc};

use label_studio_inference::onnx::{Engine, Expected, ExpectedTensor, Runtime};
use label_studio_ml::anyhow::{self, Context, ensure};
use label_studio_vision::{
    batches::{BatchModel, ImageNetwork},
    images::{Filter, Letterbox, Normalise, RgbImage, centre_crop, resize_shorter_side},
};
use ndarray::{ArrayD, Axis, Ix2, Ix3, Ix4};

use crate::{Answer, Metadata, NetworkTask, classes::probabilities, detections::Decoder};

/// The grey that Ultralytics fills the rest of an input with.
const PADDING: [u8; 3] = [114; 3];

/// Candidates per square of the stride: one of its size, four of half and sixteen of a quarter of it.
const CANDIDATES_PER_CELL: u32 = 21;
/// Boxes that an end-to-end network gives.
const MIN_CANDIDATES: u32 = 300;

/// A loaded network. Shared between threads.
pub struct Network {
    network: ImageNetwork,
    metadata: Metadata,
}

/// A network with what holds for the boxes that it looks for.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) network: &'a Network,
    /// Minimum score.
    pub(crate) confidence: f64,
    /// Boxes of a class that overlap a better one more than this go.
    pub(crate) max_overlap: f64,
}

/// An image scaled to go into a network; the image itself is no longer needed.
#[derive(Debug, Clone)]
pub struct Prepared {
    pixels: RgbImage,
    letterbox: Letterbox,
}

impl Network {
    /// Loads the ONNX file `path`, which must be one that Ultralytics exported.
    pub fn load(runtime: &Runtime, path: &Path) -> anyhow::Result<Self> {
        let engine = runtime.load(path)?;
        let metadata = Metadata::read(engine.metadata())
            .with_context(|| format!("model file {} is not a YOLO model", path.display()))?;
        Self::new(engine, metadata)
    }

    fn new(engine: Arc<dyn Engine>, metadata: Metadata) -> anyhow::Result<Self> {
        let first = |tensors: &[label_studio_inference::onnx::TensorInfo]| {
            tensors.first().map(|tensor| tensor.name.clone())
        };
        let input = first(engine.inputs()).unwrap_or_else(|| "images".to_owned());
        let output = first(engine.outputs()).unwrap_or_else(|| "output0".to_owned());
        let mut outputs = vec![ExpectedTensor::f32(&output, &[-1, -1, -1])];
        let mut prototypes = None;
        match metadata.task {
            NetworkTask::Classify => outputs[0].shape = &[-1, -1],
            NetworkTask::Segment => {
                let second = engine.outputs().get(1).map(|output| output.name.clone());
                prototypes = Some(second.unwrap_or_else(|| "output1".to_owned()));
            }
            NetworkTask::Detect | NetworkTask::Obb | NetworkTask::Pose => {}
        }
        if let Some(prototypes) = &prototypes {
            outputs.push(ExpectedTensor::f32(prototypes, &[-1, -1, -1, -1]));
        }
        let what = "a YOLO model as Ultralytics exports it";
        let expected = Expected {
            what,
            inputs: &[ExpectedTensor::f32(&input, &[-1, 3, -1, -1])],
            outputs: &outputs,
        };
        expected.check(engine.as_ref())?;
        let outputs = [output].into_iter().chain(prototypes).collect();
        Ok(Self {
            network: ImageNetwork::new(engine, outputs, what)?,
            metadata,
        })
    }

    /// Returns what the network says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns the file that the network came from.
    pub fn file(&self) -> &str {
        self.network.file()
    }

    /// Scales an image to go into the network.
    pub fn prepare(&self, image: &RgbImage) -> Prepared {
        let size = self.network.fixed_size().unwrap_or(self.metadata.size);
        if self.metadata.task == NetworkTask::Classify {
            let resized = resize_shorter_side(image, size.0.min(size.1), Filter::PillowBilinear);
            return Prepared {
                pixels: centre_crop(&resized, size.0, size.1),
                letterbox: Letterbox::fixed(image.dimensions(), size),
            };
        }
        let letterbox = self.letterbox(image.dimensions(), size);
        Prepared {
            pixels: letterbox.apply(image, Filter::OpenCvLinear, PADDING),
            letterbox,
        }
    }

    fn letterbox(&self, image: (u32, u32), size: (u32, u32)) -> Letterbox {
        if self.network.fixed_size().is_some() {
            return Letterbox::fixed(image, size);
        }
        let stride = self.metadata.stride;
        let up = |side: u32| side.div_ceil(stride) * stride;
        let size = (up(size.0), up(size.1));
        let letterbox = Letterbox::rectangular(image, size, stride);
        // An end-to-end network picks the best of at least so many candidates, which a small input does not have.
        let n_cells = letterbox.input.0 * letterbox.input.1 / (stride * stride);
        if self.metadata.is_end_to_end && n_cells * CANDIDATES_PER_CELL < MIN_CANDIDATES {
            return Letterbox::fixed(image, size);
        }
        letterbox
    }

    fn run(&self, images: &[&Prepared], search: &Search<'_>) -> anyhow::Result<Vec<Answer>> {
        let pixels = images.iter().map(|image| &image.pixels);
        let size = images[0].pixels.dimensions();
        let tensors = self.network.run(size, pixels, &Normalise::UNIT)?;
        let mut arrays = tensors.into_iter().map(|tensor| {
            let array = tensor
                .into_f32()
                .filter(|array| array.len_of(Axis(0)) >= images.len());
            array.with_context(|| {
                format!(
                    "model file {} answers for fewer images than it was given",
                    self.file()
                )
            })
        });
        let mut next = || arrays.next().expect("a run gives as many tensors as names");
        let first = next()?;
        if self.metadata.task == NetworkTask::Classify {
            let rows = with_rank::<Ix2>(first)?;
            return rows
                .outer_iter()
                .take(images.len())
                .map(|row| probabilities(&row, &self.metadata))
                .collect::<anyhow::Result<_>>()
                .with_context(|| format!("model file {}", self.file()));
        }
        let boxes = with_rank::<Ix3>(first)?;
        let prototypes = match self.network.n_outputs() {
            1 => None,
            _ => Some(with_rank::<Ix4>(next()?)?),
        };
        let n_prototypes = prototypes
            .as_ref()
            .map(|prototypes| prototypes.len_of(Axis(1)));
        let decoder = Decoder {
            metadata: &self.metadata,
            n_extra: self.metadata.n_extra().or(n_prototypes).unwrap_or_default(),
            confidence: search.confidence,
            max_overlap: search.max_overlap,
        };
        let mut answers = Vec::with_capacity(images.len());
        for (idx, image) in images.iter().enumerate() {
            let mut detections = decoder
                .decode(&boxes.index_axis(Axis(0), idx), image.letterbox)
                .with_context(|| format!("model file {}", self.file()))?;
            if let (Some(prototypes), false) = (&prototypes, detections.boxes.is_empty()) {
                detections.prototypes = Some(prototypes.index_axis(Axis(0), idx).to_owned());
            }
            answers.push(Answer::Detections(detections));
        }
        Ok(answers)
    }
}

impl BatchModel for Search<'_> {
    type Input = Prepared;
    type Output = Answer;

    fn prepare(&self, image: &RgbImage) -> anyhow::Result<Prepared> {
        Ok(self.network.prepare(image))
    }

    fn input_size(&self, input: &Prepared) -> (u32, u32) {
        input.pixels.dimensions()
    }

    fn max_inputs(&self) -> Option<usize> {
        self.network.network.max_images()
    }

    fn run(&self, inputs: &[&Prepared]) -> anyhow::Result<Vec<Answer>> {
        self.network.run(inputs, self)
    }
}

fn with_rank<D: ndarray::Dimension>(array: ArrayD<f32>) -> anyhow::Result<ndarray::Array<f32, D>> {
    let n_dimensions = array.ndim();
    let array = array.into_dimensionality::<D>();
    ensure!(
        array.is_ok(),
        "the model gave a tensor of {n_dimensions} dimensions where {:?} are needed",
        D::NDIM
    );
    Ok(array?)
}
