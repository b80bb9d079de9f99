//! Inputs and outputs that a backend needs.

use super::{ElementType, Engine, OnnxError, TensorInfo, signature::write_tensor};

/// An input or output that a backend needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedTensor<'a> {
    /// Name.
    pub name: &'a str,
    /// Type of the elements.
    pub element_type: ElementType,
    /// Size of each dimension, -1 for any size.
    pub shape: &'a [i64],
}

impl<'a> ExpectedTensor<'a> {
    /// Creates the description of an input or output.
    pub const fn new(name: &'a str, element_type: ElementType, shape: &'a [i64]) -> Self {
        Self {
            name,
            element_type,
            shape,
        }
    }

    /// Creates the description of an input or output of floating-point numbers.
    pub const fn f32(name: &'a str, shape: &'a [i64]) -> Self {
        Self::new(name, ElementType::F32, shape)
    }

    /// Creates the description of an input or output of 64-bit integers.
    pub const fn i64(name: &'a str, shape: &'a [i64]) -> Self {
        Self::new(name, ElementType::I64, shape)
    }
}

/// The inputs and outputs that a backend needs. A file may have more outputs, but no more inputs.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Kind of model that the file should hold, in words, such as “an object detector”.
    pub what: &'a str,
    /// Inputs that the backend feeds.
    pub inputs: &'a [ExpectedTensor<'a>],
    /// Outputs that the backend reads.
    pub outputs: &'a [ExpectedTensor<'a>],
}

impl Expected<'_> {
    /// Checks a model; the error names the expected inputs and outputs, and those of the model.
    pub fn check(&self, engine: &dyn Engine) -> Result<(), OnnxError> {
        let Some(problem) = self.problem(engine) else {
            return Ok(());
        };
        let found = |tensors: &[TensorInfo]| {
            let texts: Vec<_> = tensors.iter().map(ToString::to_string).collect();
            texts.join(", ")
        };
        Err(OnnxError::Unexpected {
            file: engine.file().to_owned(),
            what: self.what.to_owned(),
            problem,
            expected: format!(
                "inputs {} and outputs {}",
                list(self.inputs),
                list(self.outputs)
            ),
            found: format!(
                "inputs {} and outputs {}",
                found(engine.inputs()),
                found(engine.outputs())
            ),
        })
    }

    fn problem(&self, engine: &dyn Engine) -> Option<String> {
        let fed = |info: &&TensorInfo| !self.inputs.iter().any(|input| input.name == info.name);
        first_misfit("input", self.inputs, engine.inputs())
            .or_else(|| first_misfit("output", self.outputs, engine.outputs()))
            .or_else(|| {
                let unknown = engine.inputs().iter().find(fed)?;
                Some(format!("it wants an input {unknown} as well"))
            })
    }
}

fn first_misfit(
    role: &str,
    expected: &[ExpectedTensor<'_>],
    found: &[TensorInfo],
) -> Option<String> {
    expected.iter().find_map(|expected| {
        let Some(info) = found.iter().find(|info| info.name == expected.name) else {
            return Some(format!("it has no {role} {}", expected.name));
        };
        if info.accepts(expected.element_type, expected.shape) {
            return None;
        }
        Some(format!("its {role} is {info}"))
    })
}

fn list(tensors: &[ExpectedTensor<'_>]) -> String {
    let mut text = String::new();
    for (idx, tensor) in tensors.iter().enumerate() {
        if idx > 0 {
            text.push_str(", ");
        }
        write_tensor(&mut text, tensor.name, tensor.element_type, tensor.shape)
            .expect("a string takes all text");
    }
    text
}
