//! Tensors in and out of safetensors files.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use half::{bf16, f16};
use safetensors::{
    Dtype, SafeTensorError,
    tensor::{Metadata, TensorInfo},
};
use serde_json::{Map, json};

use super::CheckpointError;

/// Largest header of a file, as in the library.
const MAX_HEADER_BYTES: u64 = 100_000_000;
/// Bytes that are converted at once.
const CHUNK_BYTES: usize = 1 << 20;

/// The tensors of one or several files, of which each is read when it is asked for.
#[derive(Debug)]
pub(crate) struct TensorFiles {
    tensors: HashMap<String, Location>,
}

#[derive(Debug)]
struct Location {
    path: PathBuf,
    /// Where the file's data starts.
    data: u64,
    info: TensorInfo,
}

/// Opens safetensors files, and checks that they are whole.
pub(crate) fn read_tensors(paths: &[PathBuf]) -> Result<TensorFiles, CheckpointError> {
    let mut tensors = HashMap::new();
    for path in paths {
        let (metadata, data) = open(path)?;
        for (name, info) in metadata.tensors() {
            let info = info.clone();
            let path = path.clone();
            tensors.insert(name, Location { path, data, info });
        }
    }
    Ok(TensorFiles { tensors })
}

/// Returns the facts in the header of a file.
pub(crate) fn facts(path: &Path) -> Result<HashMap<String, String>, CheckpointError> {
    let (metadata, _) = open(path)?;
    Ok(metadata.metadata().clone().unwrap_or_default())
}

/// Returns the header of a file, and where its data starts.
fn open(path: &Path) -> Result<(Metadata, u64), CheckpointError> {
    let io = |source| io_error(path, source);
    let mut file = File::open(path).map_err(io)?;
    let actual = file.metadata().map_err(io)?.len();
    if actual < 8 {
        return Err(not_safetensors(path, SafeTensorError::HeaderTooSmall));
    }
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(io)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(not_safetensors(path, SafeTensorError::HeaderTooLarge));
    }
    if length + 8 > actual {
        return Err(not_safetensors(path, SafeTensorError::InvalidHeaderLength));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(io)?;
    // Whether offsets, shapes and kinds fit each other is checked on the way.
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| {
        not_safetensors(path, SafeTensorError::InvalidHeaderDeserialization(error))
    })?;
    let data = length + 8;
    let expected = data + metadata.data_len() as u64;
    if expected != actual {
        return Err(CheckpointError::WrongLength {
            path: path.to_owned(),
            expected,
            actual,
        });
    }
    Ok((metadata, data))
}

impl TensorFiles {
    /// Returns whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Returns the shape of a tensor.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.tensors.get(name)?.info.shape)
    }

    /// Reads a tensor into `out`, and checks its shape and its numbers.
    pub(crate) fn read_into(
        &self,
        name: &str,
        shape: &[usize],
        out: &mut [f32],
    ) -> Result<(), CheckpointError> {
        let Some(location) = self.tensors.get(name) else {
            return Err(CheckpointError::MissingTensor {
                name: name.to_owned(),
            });
        };
        if location.info.shape != shape {
            return Err(CheckpointError::Shape {
                name: name.to_owned(),
                actual: location.info.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        location.read(name, out)?;
        if out.iter().all(|number| number.is_finite()) {
            return Ok(());
        }
        Err(CheckpointError::NotFinite {
            name: name.to_owned(),
        })
    }
}

impl Location {
    fn read(&self, name: &str, out: &mut [f32]) -> Result<(), CheckpointError> {
        let convert: fn(&[u8], &mut [f32]) = match self.info.dtype {
            Dtype::F32 => |bytes, out| {
                for (out, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
                    *out = f32::from_le_bytes(*bytes);
                }
            },
            Dtype::F16 => |bytes, out| {
                for (out, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
                    *out = f16::from_le_bytes(*bytes).to_f32();
                }
            },
            Dtype::BF16 => |bytes, out| {
                for (out, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
                    *out = bf16::from_le_bytes(*bytes).to_f32();
                }
            },
            other => {
                return Err(CheckpointError::Kind {
                    name: name.to_owned(),
                    kind: format!("{other:?}"),
                });
            }
        };
        let width = if self.info.dtype == Dtype::F32 { 4 } else { 2 };
        let io = |source| io_error(&self.path, source);
        let mut file = File::open(&self.path).map_err(io)?;
        let start = self.data + self.info.data_offsets.0 as u64;
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        let mut buffer = vec![0; CHUNK_BYTES.min(out.len() * width)];
        for out in out.chunks_mut(CHUNK_BYTES / width) {
            let bytes = &mut buffer[..out.len() * width];
            file.read_exact(bytes).map_err(io)?;
            convert(bytes, out);
        }
        Ok(())
    }
}

/// A tensor to write.
pub(crate) type NamedTensor<'a> = (&'a str, &'a [usize], &'a [f32]);

/// Writes tensors into one file of single precision, with facts about it in its header.
pub(crate) fn write_tensors(
    path: &Path,
    tensors: &[NamedTensor<'_>],
    facts: &Map<String, serde_json::Value>,
) -> Result<(), CheckpointError> {
    let mut metadata = facts.clone();
    // transformers refuses a file without it.
    metadata.insert("format".to_owned(), json!("pt"));
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), metadata.into());
    let mut start = 0;
    for (name, shape, values) in tensors {
        let end = start + values.len() * 4;
        let entry = json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, end] });
        header.insert((*name).to_owned(), entry);
        start = end;
    }
    let mut header = serde_json::to_vec(&header).expect("a map with text keys can be written");
    // The data starts at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::with_capacity(CHUNK_BYTES, File::create(path)?);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        let mut bytes = Vec::with_capacity(CHUNK_BYTES);
        for (_, _, values) in tensors {
            for values in values.chunks(CHUNK_BYTES / 4) {
                bytes.clear();
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                file.write_all(&bytes)?;
            }
        }
        file.into_inner()?.sync_all()
    };
    write().map_err(|source| io_error(path, source))
}

fn not_safetensors(path: &Path, source: SafeTensorError) -> CheckpointError {
    CheckpointError::NotSafetensors {
        path: path.to_owned(),
        source,
    }
}

fn io_error(path: &Path, source: std::io::Error) -> CheckpointError {
    CheckpointError::Io {
        path: path.to_owned(),
        source,
    }
}
