//! A model on rten, an engine in pure Rust.

mod error;
mod signature;
mod values;

use std::{error::Error, path::Path, sync::Arc};

use ::rten::{Model, NodeId, RunOptions, ThreadPool};

use self::error::RunError;
use super::{
    Device, Engine, OnnxError, Signature, Tensor, TensorInfo, TensorView, options::SessionOptions,
    pool::Pool,
};

struct RtenModel {
    signature: Signature,
    model: Model,
    /// Threads for one run each; weights are shared by all runs.
    threads: Pool<Arc<ThreadPool>>,
}

pub(super) fn load(path: &Path, options: &SessionOptions) -> Result<Arc<dyn Engine>, OnnxError> {
    if let Device::Cuda(_) = options.device {
        return Err(OnnxError::NoGpu {
            reason: "the engine rten runs on the CPU only".to_owned(),
        });
    }
    let failed = |source: Box<dyn Error + Send + Sync>| OnnxError::Load {
        path: path.to_owned(),
        source,
    };
    let mut signature = signature::read(path).map_err(|error| failed(error.into()))?;
    // Outputs are at the end of an ONNX file, and rten does not notice a truncated file.
    if signature.outputs.is_empty() {
        return Err(failed("the graph has no outputs".into()));
    }
    let model = Model::load_file(path).map_err(|error| failed(error.into()))?;
    let threads = (0..options.n_sessions)
        .map(|_| Arc::new(ThreadPool::with_num_threads(options.n_threads)))
        .collect();
    // Old exporters list weights among the inputs.
    let is_fed = |info: &TensorInfo| {
        let id = model.find_node(&info.name);
        id.is_some_and(|id| model.input_ids().contains(&id))
    };
    signature.inputs.retain(is_fed);
    signature.file = path.display().to_string();
    Ok(Arc::new(RtenModel {
        signature,
        model,
        threads: Pool::new(threads),
    }))
}

impl Engine for RtenModel {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn try_run(
        &self,
        inputs: &[(&str, TensorView<'_>)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, Box<dyn Error + Send + Sync>> {
        let contiguous = inputs
            .iter()
            .map(|(name, view)| Ok((self.node(name)?, values::Contiguous::new(view)?)))
            .collect::<Result<Vec<_>, RunError>>()?;
        let values = contiguous
            .iter()
            .map(|(node, value)| (*node, value.view()))
            .collect();
        let infos = outputs
            .iter()
            .map(|name| {
                let known = &self.signature.outputs;
                let info = known.iter().find(|info| info.name == *name);
                info.ok_or_else(|| RunError::NoSuchName((*name).to_owned()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let nodes = outputs
            .iter()
            .map(|name| self.node(name))
            .collect::<Result<Vec<_>, _>>()?;
        let threads = self.threads.take();
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&threads));
        let found = self.model.run(values, &nodes, Some(options))?;
        let values = found.into_iter().zip(infos);
        let tensors = values.map(|(value, info)| values::tensor(value, info.element_type));
        Ok(tensors.collect::<Result<_, _>>()?)
    }
}

impl RtenModel {
    fn node(&self, name: &str) -> Result<NodeId, RunError> {
        let node = self.model.find_node(name);
        node.ok_or_else(|| RunError::NoSuchName(name.to_owned()))
    }
}
