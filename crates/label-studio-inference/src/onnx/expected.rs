//! Inputs and outputs that a backend needs.

use super::{ElementType, Engine, OnnxError, TensorInfo, signature::write_tensor};

/// Name, element type and shape of an input or output; -1 stands for any size.
pub type ExpectedTensor<'a> = (&'a str, ElementType, &'a [i64]);

/// The inputs and outputs that a backend needs. A file may have more outputs, but no more inputs.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// What the file should be, in words, such as “an object detector”.
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
        let fed = |info: &&TensorInfo| !self.inputs.iter().any(|(name, ..)| *name == info.name);
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
    expected.iter().find_map(|&(name, element_type, shape)| {
        let Some(info) = found.iter().find(|info| info.name == name) else {
            return Some(format!("it has no {role} {name}"));
        };
        if info.accepts(element_type, shape) {
            return None;
        }
        Some(format!("its {role} is {info}"))
    })
}

fn list(tensors: &[ExpectedTensor<'_>]) -> String {
    let mut text = String::new();
    for (idx, (name, element_type, shape)) in tensors.iter().enumerate() {
        if idx > 0 {
            text.push_str(", ");
        }
        write_tensor(&mut text, name, *element_type, shape).expect("a string takes all text");
    }
    text
}
