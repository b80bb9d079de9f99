//! The two families of exports, which differ in the names of their inputs.
//!
//! Exports of transformers take `pixel_values` and compute in the graph which tokens belong
//! together. Exports of the original repository take `img`, and are given `text_token_mask` and
//! `position_ids`.

use label_studio_inference::onnx::{
    ElementType, Engine, Expected, ExpectedTensor, OnnxError, Tensor, TensorView,
};
use ndarray::{Array2, Array3, Array4, ArrayD};

use super::caption::Caption;

/// Metadata of files whose graph computes the phrases of any prompt; `export.py` of the backend
/// writes it.
const PHRASE_MASK: (&str, &str) = ("phrase_mask", "traced");

const IMAGES: [&str; 2] = ["pixel_values", "img"];
const LOGITS: [&str; 2] = ["logits", "pred_logits"];
const BOXES: [&str; 2] = ["pred_boxes", "boxes"];
const PIXEL_MASK: &str = "pixel_mask";
const INPUT_IDS: &str = "input_ids";
const TOKEN_TYPE_IDS: &str = "token_type_ids";
const ATTENTION_MASK: &str = "attention_mask";
const POSITION_IDS: &str = "position_ids";
const TEXT_TOKEN_MASK: &str = "text_token_mask";

/// Inputs and outputs of a model's file.
#[derive(Debug)]
pub(super) struct Inputs {
    image: &'static str,
    pub(super) outputs: [&'static str; 2],
    /// Width and height of images, if the file fixes them.
    pub(super) size: Option<(u32, u32)>,
    /// Images per run, if the file fixes that.
    pub(super) batch: Option<usize>,
    /// Tokens per caption, if the file fixes that.
    pub(super) n_tokens: Option<usize>,
    /// Whether the file takes the mask of the pixels that are no padding. Boxes are then relative
    /// to the image.
    pub(super) has_pixel_mask: bool,
    /// Whether several phrases may go into one prompt.
    pub(super) knows_phrases: bool,
    /// The inputs about text, and their types.
    texts: Vec<(&'static str, ElementType)>,
}

impl Inputs {
    /// Checks that a file is Grounding DINO, and reads its inputs.
    pub(super) fn of(engine: &dyn Engine) -> Result<Self, OnnxError> {
        let present = |names: [&'static str; 2], is_there: &dyn Fn(&str) -> bool| {
            names
                .into_iter()
                .find(|name| is_there(name))
                .unwrap_or(names[0])
        };
        let image = present(IMAGES, &|name| engine.input(name).is_some());
        let outputs =
            [LOGITS, BOXES].map(|names| present(names, &|name| engine.output(name).is_some()));
        let texts: Vec<_> = [
            INPUT_IDS,
            TOKEN_TYPE_IDS,
            ATTENTION_MASK,
            POSITION_IDS,
            TEXT_TOKEN_MASK,
        ]
        .into_iter()
        .filter_map(|name| Some((name, text_type(engine.input(name)?.element_type))))
        .collect();
        let has_pixel_mask = engine.input(PIXEL_MASK).is_some();
        check(engine, image, outputs, &texts)?;

        let info = engine.input(image).expect("the check found it");
        let side = |axis| info.fixed(axis).and_then(|side| u32::try_from(side).ok());
        let ids = engine.input(INPUT_IDS).expect("the check found it");
        let is_told = texts.iter().any(|(name, _)| *name == TEXT_TOKEN_MASK);
        let (key, value) = PHRASE_MASK;
        let is_traced = engine
            .metadata()
            .get(key)
            .is_some_and(|found| found == value);
        Ok(Self {
            image,
            outputs,
            size: side(3).zip(side(2)),
            batch: info.fixed(0).or(ids.fixed(0)),
            n_tokens: ids.fixed(1),
            has_pixel_mask,
            knows_phrases: is_told || is_traced,
            texts,
        })
    }

    /// Runs the model on a batch of images with one caption for all.
    pub(super) fn run(
        &self,
        engine: &dyn Engine,
        pixels: &Array4<f32>,
        pixel_mask: &Array3<i64>,
        caption: &Caption,
    ) -> Result<[ArrayD<f32>; 2], OnnxError> {
        let n_images = pixels.dim().0;
        let texts: Vec<_> = self
            .texts
            .iter()
            .map(|&(name, element_type)| (name, self.text(name, element_type, caption, n_images)))
            .collect();
        let mut inputs: Vec<(&str, TensorView<'_>)> = vec![(self.image, pixels.into())];
        if self.has_pixel_mask {
            inputs.push((PIXEL_MASK, pixel_mask.into()));
        }
        inputs.extend(texts.iter().map(|(name, tensor)| (*name, tensor.view())));
        engine.run_f32(&inputs, self.outputs)
    }

    fn text(
        &self,
        name: &str,
        element_type: ElementType,
        caption: &Caption,
        n_images: usize,
    ) -> Tensor {
        let n_columns = self.n_tokens.unwrap_or(caption.ids.len());
        let row = |value: &dyn Fn(usize) -> i64| {
            let n_tokens = caption.ids.len();
            let row = Array2::from_shape_fn((1, n_columns), |(_, token)| {
                if token < n_tokens { value(token) } else { 0 }
            });
            row.into_dyn()
        };
        let row = match name {
            INPUT_IDS => row(&|token| i64::from(caption.ids[token])),
            TOKEN_TYPE_IDS => row(&|token| i64::from(caption.type_ids[token])),
            ATTENTION_MASK => row(&|_| 1),
            POSITION_IDS => caption.phrase_masks(n_columns).1.into_dyn(),
            _ => caption.phrase_masks(n_columns).0.mapv(i64::from).into_dyn(),
        };
        let mut shape = row.raw_dim();
        shape[0] = n_images;
        let all = row.broadcast(shape).expect("rows are alike").to_owned();
        match element_type {
            ElementType::Bool => Tensor::Bool(all.mapv(|value| value != 0)),
            ElementType::I32 => Tensor::I32(
                all.mapv(|value| i32::try_from(value).expect("ids of tokens are small")),
            ),
            _ => Tensor::I64(all),
        }
    }
}

/// The type that a text input is fed with; a file with another one is refused by the check.
fn text_type(found: ElementType) -> ElementType {
    match found {
        ElementType::Bool | ElementType::I32 => found,
        _ => ElementType::I64,
    }
}

fn check(
    engine: &dyn Engine,
    image: &'static str,
    [logits, boxes]: [&'static str; 2],
    texts: &[(&'static str, ElementType)],
) -> Result<(), OnnxError> {
    let mut inputs: Vec<ExpectedTensor<'_>> = vec![ExpectedTensor::f32(image, &[-1, 3, -1, -1])];
    if !texts.iter().any(|(name, _)| *name == INPUT_IDS) {
        inputs.push(ExpectedTensor::i64(INPUT_IDS, &[-1, -1]));
    }
    for &(name, element_type) in texts {
        let shape: &[i64] = if name == TEXT_TOKEN_MASK {
            &[-1, -1, -1]
        } else {
            &[-1, -1]
        };
        inputs.push(ExpectedTensor::new(name, element_type, shape));
    }
    if engine.input(PIXEL_MASK).is_some() {
        inputs.push(ExpectedTensor::i64(PIXEL_MASK, &[-1, -1, -1]));
    }
    Expected {
        what: "Grounding DINO",
        inputs: &inputs,
        outputs: &[
            ExpectedTensor::f32(logits, &[-1, -1, -1]),
            ExpectedTensor::f32(boxes, &[-1, -1, 4]),
        ],
    }
    .check(engine)
}
