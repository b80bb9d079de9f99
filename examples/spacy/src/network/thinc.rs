//! Files of thinc, spaCy's library for neural networks.

use std::collections::HashMap;

use label_studio_ml::anyhow::{self, Context, bail, ensure};
use rmpv::{Value, ValueRef, decode::read_value, decode::read_value_ref};

/// First bytes of a pickle, followed by its protocol.
const PICKLE: u8 = 0x80;
const PICKLE_PROTOCOLS: std::ops::RangeInclusive<u8> = 2..=5;

/// A network as it lies in a file: its layers, breadth first, with their parameters.
#[derive(Debug)]
pub(crate) struct ThincModel {
    pub(crate) layers: Vec<Layer>,
}

/// A layer of a network.
#[derive(Debug)]
pub(crate) struct Layer {
    /// What it is, such as `maxout`.
    pub(crate) name: String,
    attributes: HashMap<String, Value>,
    tensors: HashMap<String, Tensor>,
    references: HashMap<String, usize>,
}

/// A parameter of a layer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl ThincModel {
    /// Reads the file `model` of a component.
    pub(crate) fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        if let [PICKLE, protocol, ..] = bytes
            && PICKLE_PROTOCOLS.contains(protocol)
        {
            bail!(
                "it is a pickle, which is not read because it can run code: load the pipeline in Python with the \
                 library that wrote it, and write it with nlp.to_disk(folder)"
            );
        }
        let model = read_value_ref(&mut &*bytes).context("it is no MessagePack, or cut short")?;
        let lists = ["nodes", "attrs", "params"].map(|name| list(&model, name));
        let [nodes, attributes, parameters] = lists;
        let (nodes, attributes, parameters) = (nodes?, attributes?, parameters?);
        ensure!(
            nodes.len() == attributes.len() && nodes.len() == parameters.len(),
            "it is no network of thinc: some layers have no parameters"
        );
        let layers = nodes.iter().zip(attributes).zip(parameters);
        let layers = layers.map(|((node, attributes), parameters)| {
            let name = text(node, "name").context("a layer has no name")?;
            Layer::read(node, attributes, parameters, &name)
                .with_context(|| format!("layer {}", name.split(">>").next().unwrap_or_default()))
        });
        Ok(Self {
            layers: layers.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Returns the layer that the first one refers to by a name.
    pub(crate) fn referred(&self, name: &str) -> anyhow::Result<&Layer> {
        let idx = self
            .layers
            .first()
            .and_then(|layer| layer.references.get(name));
        idx.and_then(|idx| self.layers.get(*idx))
            .with_context(|| format!("the network has no layer {name}"))
    }

    /// Returns the layers with a name.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Layer> {
        self.layers.iter().filter(move |layer| layer.name == name)
    }
}

impl Layer {
    fn read(
        node: &ValueRef<'_>,
        attributes: &ValueRef<'_>,
        parameters: &ValueRef<'_>,
        name: &str,
    ) -> anyhow::Result<Self> {
        let mut layer = Self {
            name: name.to_owned(),
            attributes: HashMap::new(),
            tensors: HashMap::new(),
            references: HashMap::new(),
        };
        for (key, value) in entries(field(node, "refs")) {
            if let (Some(key), Some(idx)) = (string(key), value.as_u64()) {
                layer.references.insert(key, usize::try_from(idx)?);
            }
        }
        for (key, value) in entries(Some(attributes)) {
            // Each value is MessagePack by itself.
            if let (Some(key), Some(mut bytes)) = (string(key), bytes(value))
                && let Ok(value) = read_value(&mut bytes)
            {
                layer.attributes.insert(key, value);
            }
        }
        for (key, value) in entries(Some(parameters)) {
            if let Some(key) = string(key)
                && !matches!(value, ValueRef::Nil)
            {
                let tensor = Tensor::read(value).with_context(|| format!("parameter {key}"))?;
                layer.tensors.insert(key, tensor);
            }
        }
        Ok(layer)
    }

    /// Returns an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// Returns a parameter with so many dimensions.
    pub(crate) fn tensor(&self, name: &str, n_dims: usize) -> anyhow::Result<&Tensor> {
        let tensor = self.tensors.get(name);
        let tensor = tensor.with_context(|| format!("layer {} has no {name}", self.name))?;
        ensure!(
            tensor.shape.len() == n_dims,
            "{name} of layer {} has the shape {:?} instead of {n_dims} dimensions",
            self.name,
            tensor.shape
        );
        Ok(tensor)
    }
}

impl Tensor {
    /// Reads an array as `msgpack-numpy` writes it.
    fn read(value: &ValueRef<'_>) -> anyhow::Result<Self> {
        let kind = field(value, "type")
            .and_then(string)
            .context("it is no array")?;
        let Some(ValueRef::Array(shape)) = field(value, "shape") else {
            bail!("it has no shape");
        };
        let shape: Option<Vec<usize>> = shape
            .iter()
            .map(|size| usize::try_from(size.as_u64()?).ok())
            .collect();
        let shape = shape.context("its shape is no list of sizes")?;
        let data = field(value, "data")
            .and_then(bytes)
            .context("it has no data")?;
        Self::from_bytes(&kind, shape, data)
    }

    /// Creates a tensor from the bytes of a numpy array in C order, whose type numpy writes as
    /// `kind`.
    pub(crate) fn from_bytes(kind: &str, shape: Vec<usize>, data: &[u8]) -> anyhow::Result<Self> {
        let values: Vec<f32> = match kind {
            "<f4" | "f4" => data
                .as_chunks()
                .0
                .iter()
                .map(|chunk| f32::from_le_bytes(*chunk))
                .collect(),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "networks run in single precision"
            )]
            "<f8" | "f8" => {
                let chunks = data.as_chunks().0.iter();
                chunks
                    .map(|chunk| f64::from_le_bytes(*chunk) as f32)
                    .collect()
            }
            other => bail!("it holds numbers of the type {other}, where <f4 is expected"),
        };
        let n_values = shape
            .iter()
            .try_fold(1, |n: usize, size| n.checked_mul(*size));
        ensure!(
            n_values == Some(values.len()),
            "it has {} values, which do not fill its shape {shape:?}",
            values.len()
        );
        ensure!(
            values.iter().all(|value| value.is_finite()),
            "it has values that are not numbers (NaN or infinite): the training of the pipeline went wrong"
        );
        Ok(Self { shape, values })
    }
}

fn list<'a>(model: &'a ValueRef<'_>, name: &str) -> anyhow::Result<&'a [ValueRef<'a>]> {
    match field(model, name) {
        Some(ValueRef::Array(items)) => Ok(items),
        _ => bail!("it is no network of thinc: it has no list {name}"),
    }
}

fn text(map: &ValueRef<'_>, name: &str) -> Option<String> {
    field(map, name).and_then(string)
}

/// Returns a field of a map, whose keys may be texts or bytes.
fn field<'a>(map: &'a ValueRef<'_>, name: &str) -> Option<&'a ValueRef<'a>> {
    let mut entries = entries(Some(map));
    let entry = entries.find(|(key, _)| bytes(key) == Some(name.as_bytes()));
    entry.map(|(_, value)| value)
}

fn entries<'a>(
    map: Option<&'a ValueRef<'_>>,
) -> impl Iterator<Item = (&'a ValueRef<'a>, &'a ValueRef<'a>)> {
    let entries: &[(ValueRef<'a>, ValueRef<'a>)] = match map {
        Some(ValueRef::Map(entries)) => entries,
        _ => &[],
    };
    entries.iter().map(|(key, value)| (key, value))
}

fn bytes<'a>(value: &'a ValueRef<'_>) -> Option<&'a [u8]> {
    match value {
        ValueRef::Binary(bytes) => Some(bytes),
        ValueRef::String(text) => Some(text.as_bytes()),
        _ => None,
    }
}

fn string(value: &ValueRef<'_>) -> Option<String> {
    String::from_utf8(bytes(value)?.to_vec()).ok()
}
