//! What the models' files must have.

use label_studio_inference::onnx::{Engine, Expected, ExpectedTensor, OnnxError};

/// Fails unless a model takes images, whatever its input is called, and its first output has a
/// shape.
pub(crate) fn check(engine: &dyn Engine, what: &str, output: &[i64]) -> Result<(), OnnxError> {
    let name = |tensors: &[label_studio_inference::onnx::TensorInfo], default: &str| {
        let first = tensors.first();
        first.map_or_else(|| default.to_owned(), |tensor| tensor.name.clone())
    };
    let (input_name, output_name) = (
        name(engine.inputs(), "x"),
        name(engine.outputs(), "fetch_name_0"),
    );
    let expected = Expected {
        what,
        inputs: &[ExpectedTensor::f32(&input_name, &[-1, 3, -1, -1])],
        outputs: &[ExpectedTensor::f32(&output_name, output)],
    };
    expected.check(engine)
}
