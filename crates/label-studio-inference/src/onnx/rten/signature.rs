//! Reads inputs and outputs from an ONNX file; rten itself drops the width of integers.

use std::{fs::File, path::Path};

use rten_onnx::{
    onnx::{DataType, StringStringEntryProto, ValueInfoProto},
    protobuf::{DecodeMessage, Fields, OwnedValues, ProtobufError, ReadValue, ValueReader},
};

use crate::onnx::{ElementType, Signature, TensorInfo};

// Field numbers of onnx.proto.
const MODEL_GRAPH: u64 = 7;
const MODEL_METADATA_PROPS: u64 = 14;
const GRAPH_INPUT: u64 = 11;
const GRAPH_OUTPUT: u64 = 12;

/// A model of which everything but this is skipped, the weights above all.
#[derive(Default)]
struct ModelSignature(Signature);

#[derive(Default)]
struct GraphSignature {
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
}

/// Reads all but the file's name.
pub(super) fn read(path: &Path) -> Result<Signature, ProtobufError> {
    let file = File::open(path).map_err(ProtobufError::from)?;
    Ok(ModelSignature::decode(ValueReader::from_file(file))?.0)
}

impl DecodeMessage for ModelSignature {
    type Types = OwnedValues;

    fn decode_fields<R: ReadValue<Types = Self::Types>>(
        mut fields: Fields<R>,
    ) -> Result<Self, ProtobufError> {
        let mut signature = Signature::default();
        while let Some(mut field) = fields.next()? {
            match field.number() {
                MODEL_GRAPH => {
                    let graph = GraphSignature::decode_field(&mut field)?;
                    signature.inputs = graph.inputs;
                    signature.outputs = graph.outputs;
                }
                MODEL_METADATA_PROPS => {
                    let entry = StringStringEntryProto::decode_field(&mut field)?;
                    let key = entry.key.unwrap_or_default();
                    signature
                        .metadata
                        .insert(key, entry.value.unwrap_or_default());
                }
                _ => field.skip()?,
            }
        }
        Ok(Self(signature))
    }
}

impl DecodeMessage for GraphSignature {
    type Types = OwnedValues;

    fn decode_fields<R: ReadValue<Types = Self::Types>>(
        mut fields: Fields<R>,
    ) -> Result<Self, ProtobufError> {
        let mut graph = Self::default();
        while let Some(mut field) = fields.next()? {
            let infos = match field.number() {
                GRAPH_INPUT => &mut graph.inputs,
                GRAPH_OUTPUT => &mut graph.outputs,
                _ => {
                    field.skip()?;
                    continue;
                }
            };
            infos.push(info(ValueInfoProto::decode_field(&mut field)?));
        }
        Ok(graph)
    }
}

fn info(value: ValueInfoProto) -> TensorInfo {
    let tensor = value.r#type.and_then(|kind| kind.tensor_type);
    let tensor = tensor.unwrap_or_default();
    let sizes = tensor.shape.map(|shape| shape.dim).unwrap_or_default();
    TensorInfo {
        name: value.name.unwrap_or_default(),
        element_type: tensor.elem_type.map_or(ElementType::Other, element_type),
        shape: sizes
            .into_iter()
            .map(|size| size.dim_value.unwrap_or(-1))
            .collect(),
    }
}

fn element_type(found: DataType) -> ElementType {
    match found {
        DataType::FLOAT => ElementType::F32,
        DataType::FLOAT16 => ElementType::F16,
        DataType::INT64 => ElementType::I64,
        DataType::INT32 => ElementType::I32,
        DataType::BOOL => ElementType::Bool,
        DataType::UINT8 => ElementType::U8,
        _ => ElementType::Other,
    }
}
