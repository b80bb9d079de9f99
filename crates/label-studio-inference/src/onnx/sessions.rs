//! A model on ONNX Runtime.

use std::{borrow::Cow, collections::BTreeMap, error::Error, path::Path, sync::Arc};

use ndarray::{ArrayD, ArrayViewD, CowArray, IxDyn};
use ort::{
    environment::Environment,
    ep::ExecutionProviderDispatch,
    session::{OutputSelector, RunOptions, Session, SessionInputValue},
    value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType},
};

use super::{
    Device, ElementType, Engine, OnnxError, Signature, Tensor, TensorInfo, TensorView,
    options::SessionOptions, pool::Pool,
};

struct Sessions {
    signature: Signature,
    pool: Pool<Session>,
}

/// An input in contiguous memory, as ONNX Runtime needs it.
enum Contiguous<'a> {
    F32(CowArray<'a, f32, IxDyn>),
    F16(ArrayD<half::f16>),
    I64(CowArray<'a, i64, IxDyn>),
    I32(CowArray<'a, i32, IxDyn>),
    Bool(CowArray<'a, bool, IxDyn>),
    U8(CowArray<'a, u8, IxDyn>),
}

pub(super) fn load(
    environment: &Environment,
    path: &Path,
    options: &SessionOptions,
) -> Result<Arc<dyn Engine>, OnnxError> {
    let providers = providers(options.device)?;
    let failed = |source: ort::Error| OnnxError::Load {
        path: path.to_owned(),
        source: source.into(),
    };
    let sessions = (0..options.n_sessions)
        .map(|_| session(environment, path, options, &providers))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    let first = &sessions[0];
    let signature = Signature {
        file: path.display().to_string(),
        inputs: first.inputs().iter().map(info).collect(),
        outputs: first.outputs().iter().map(info).collect(),
        metadata: metadata(first).map_err(failed)?,
    };
    let pool = Pool::new(sessions);
    Ok(Arc::new(Sessions { signature, pool }))
}

impl Engine for Sessions {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn try_run(
        &self,
        inputs: &[(&str, TensorView<'_>)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, Box<dyn Error + Send + Sync>> {
        let contiguous: Vec<_> = inputs
            .iter()
            .map(|(name, view)| (*name, self.contiguous(name, view)))
            .collect();
        let values = contiguous
            .iter()
            .map(|(name, input)| Ok((Cow::from(*name), input.value()?)))
            .collect::<Result<Vec<_>, ort::Error>>()?;
        let selector = outputs
            .iter()
            .fold(OutputSelector::no_default(), |selector, name| {
                selector.with(*name)
            });
        let run_options = RunOptions::new()?.with_outputs(selector);
        let mut session = self.pool.take();
        let found = session.run_with_options(values, &run_options)?;
        let tensors = outputs.iter().map(|name| extract(&found[*name]));
        Ok(tensors.collect::<Result<_, _>>()?)
    }
}

impl Sessions {
    fn contiguous<'a>(&self, name: &str, view: &'a TensorView<'_>) -> Contiguous<'a> {
        let wants_f16 = || {
            let inputs = &self.signature.inputs;
            let input = inputs.iter().find(|input| input.name == name);
            input.is_some_and(|input| input.element_type == ElementType::F16)
        };
        match view {
            TensorView::F32(array) if wants_f16() => {
                Contiguous::F16(array.mapv(half::f16::from_f32))
            }
            TensorView::F32(array) => Contiguous::F32(in_one_piece(array)),
            TensorView::I64(array) => Contiguous::I64(in_one_piece(array)),
            TensorView::I32(array) => Contiguous::I32(in_one_piece(array)),
            TensorView::Bool(array) => Contiguous::Bool(in_one_piece(array)),
            TensorView::U8(array) => Contiguous::U8(in_one_piece(array)),
        }
    }
}

impl Contiguous<'_> {
    fn value(&self) -> Result<SessionInputValue<'_>, ort::Error> {
        Ok(match self {
            Self::F32(array) => TensorRef::from_array_view(array)?.into(),
            Self::F16(array) => TensorRef::from_array_view(array)?.into(),
            Self::I64(array) => TensorRef::from_array_view(array)?.into(),
            Self::I32(array) => TensorRef::from_array_view(array)?.into(),
            Self::Bool(array) => TensorRef::from_array_view(array)?.into(),
            Self::U8(array) => TensorRef::from_array_view(array)?.into(),
        })
    }
}

fn in_one_piece<'a, T: Clone>(array: &'a ArrayViewD<'_, T>) -> CowArray<'a, T, IxDyn> {
    array.as_standard_layout()
}

fn extract(value: &DynValue) -> Result<Tensor, ort::Error> {
    let element_type = value.dtype().tensor_type();
    Ok(match element_type {
        Some(TensorElementType::Float32) => {
            Tensor::F32(value.try_extract_array::<f32>()?.into_owned())
        }
        Some(TensorElementType::Float16) => Tensor::F32(
            value
                .try_extract_array::<half::f16>()?
                .mapv(half::f16::to_f32),
        ),
        Some(TensorElementType::Int64) => {
            Tensor::I64(value.try_extract_array::<i64>()?.into_owned())
        }
        Some(TensorElementType::Int32) => {
            Tensor::I32(value.try_extract_array::<i32>()?.into_owned())
        }
        Some(TensorElementType::Bool) => {
            Tensor::Bool(value.try_extract_array::<bool>()?.into_owned())
        }
        Some(TensorElementType::Uint8) => Tensor::U8(value.try_extract_array::<u8>()?.into_owned()),
        _ => {
            let message = format!("outputs of type {} cannot be read", value.dtype());
            return Err(ort::Error::new(message));
        }
    })
}

fn session(
    environment: &Environment,
    path: &Path,
    options: &SessionOptions,
    providers: &[ExecutionProviderDispatch],
) -> Result<Session, ort::Error> {
    Session::builder(environment)?
        .with_intra_threads(options.n_threads)?
        .with_intra_op_spinning(options.spinning)?
        .with_inter_op_spinning(options.spinning)?
        .with_execution_providers(providers)?
        .commit_from_file(path)
}

/// Execution providers in the order of preference; operators without one run on the CPU.
fn providers(device: Device) -> Result<Vec<ExecutionProviderDispatch>, OnnxError> {
    #[cfg(feature = "cuda")]
    {
        use ort::ep::{CUDA, ExecutionProvider};
        let (number, is_needed) = match device {
            Device::Cpu => return Ok(Vec::new()),
            Device::Auto => (0, false),
            Device::Cuda(number) => (number, true),
        };
        if is_needed && !CUDA::is_available().unwrap_or(false) {
            let reason = "the ONNX Runtime found runs on the CPU only: pip install onnxruntime-gpu";
            return Err(OnnxError::NoGpu {
                reason: reason.to_owned(),
            });
        }
        let mut cuda = CUDA::default().with_device_id(number).build();
        if is_needed {
            cuda = cuda.error_on_failure();
        }
        #[cfg(feature = "tensorrt")]
        let tensorrt = Some(ort::ep::TensorRT::default().with_device_id(number).build());
        #[cfg(not(feature = "tensorrt"))]
        let tensorrt = None;
        let tensorrt = tensorrt.map(ExecutionProviderDispatch::fail_silently);
        Ok(tensorrt.into_iter().chain([cuda]).collect())
    }
    #[cfg(not(feature = "cuda"))]
    match device {
        Device::Auto | Device::Cpu => Ok(Vec::new()),
        Device::Cuda(_) => Err(OnnxError::NoGpu {
            reason: "this program was built without the feature `cuda`".to_owned(),
        }),
    }
}

fn metadata(session: &Session) -> Result<BTreeMap<String, String>, ort::Error> {
    let metadata = session.metadata()?;
    let keys = metadata.custom_keys()?;
    let pairs = keys
        .into_iter()
        .filter_map(|key| metadata.custom(&key).map(|value| (key, value)));
    Ok(pairs.collect())
}

fn info(outlet: &Outlet) -> TensorInfo {
    let (element_type, shape) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => (element_type(*ty), shape.to_vec()),
        _ => (ElementType::Other, Vec::new()),
    };
    TensorInfo {
        name: outlet.name().to_owned(),
        element_type,
        shape,
    }
}

fn element_type(found: TensorElementType) -> ElementType {
    match found {
        TensorElementType::Float32 => ElementType::F32,
        TensorElementType::Float16 => ElementType::F16,
        TensorElementType::Int64 => ElementType::I64,
        TensorElementType::Int32 => ElementType::I32,
        TensorElementType::Bool => ElementType::Bool,
        TensorElementType::Uint8 => ElementType::U8,
        _ => ElementType::Other,
    }
}
