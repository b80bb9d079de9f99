//! Tensors of files of weights.

use std::{
    collections::HashMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};

use super::pickle;
use crate::generation::{GenerationError, numbers::Numbers};

/// Largest header of a file, as in the library.
const MAX_HEADER_BYTES: u64 = 100_000_000;
/// Bytes that are converted at once; a multiple of the size of a number.
const CHUNK_BYTES: usize = 1 << 20;

/// The tensors of one or several files, of which each is read when it is asked for.
#[derive(Debug)]
pub(super) struct Tensors {
    places: HashMap<String, Place>,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// Where the file's data starts.
    data: u64,
    info: TensorInfo,
}

impl Tensors {
    /// Opens files, and checks that they are whole.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, GenerationError> {
        let mut places = HashMap::new();
        for path in paths {
            if path.extension().is_some_and(|extension| extension == "bin") {
                let found = pickle::tensors(path);
                let found = found.ok_or_else(|| GenerationError::Pickle(path.clone()))?;
                for tensor in found {
                    let place = Place {
                        path: path.clone(),
                        data: tensor.start,
                        info: tensor.info,
                    };
                    places.insert(tensor.name, place);
                }
                continue;
            }
            let (metadata, data) = header(path)?;
            for (name, info) in metadata.tensors() {
                let place = Place {
                    path: path.clone(),
                    data,
                    info: info.clone(),
                };
                places.insert(name, place);
            }
        }
        Ok(Self { places })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Reads a tensor as it is in the file.
    pub(super) fn read(&self, name: &str, shape: &[usize]) -> Result<Numbers, GenerationError> {
        let missing = || GenerationError::MissingTensor(name.to_owned());
        let place = self.places.get(name).ok_or_else(missing)?;
        if place.info.shape != shape {
            return Err(GenerationError::Shape {
                name: name.to_owned(),
                actual: place.info.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        let numbers = match place.info.dtype {
            Dtype::F32 => {
                let mut numbers: Vec<f32> = Vec::with_capacity(place.n_bytes() / 4);
                place.each_chunk(|bytes| {
                    let bytes = bytes.as_chunks().0.iter();
                    numbers.extend(bytes.map(|bytes| f32::from_le_bytes(*bytes)));
                })?;
                Numbers::F32(numbers)
            }
            Dtype::F16 => Numbers::F16(place.halves()?),
            Dtype::BF16 => Numbers::Bf16(place.halves()?),
            other => {
                return Err(GenerationError::Kind {
                    name: name.to_owned(),
                    kind: format!("{other:?}"),
                });
            }
        };
        if numbers.are_finite() {
            return Ok(numbers);
        }
        Err(GenerationError::NotFinite(name.to_owned()))
    }

    /// Reads a short tensor, such as a bias, in single precision.
    pub(super) fn read_row(&self, name: &str, len: usize) -> Result<Vec<f32>, GenerationError> {
        Ok(self.read(name, &[len])?.into_f32())
    }
}

impl Place {
    fn n_bytes(&self) -> usize {
        self.info.data_offsets.1 - self.info.data_offsets.0
    }

    fn halves(&self) -> Result<Vec<u16>, GenerationError> {
        let mut numbers = Vec::with_capacity(self.n_bytes() / 2);
        self.each_chunk(|bytes| {
            let bytes = bytes.as_chunks().0.iter();
            numbers.extend(bytes.map(|bytes| u16::from_le_bytes(*bytes)));
        })?;
        Ok(numbers)
    }

    fn each_chunk(&self, mut use_chunk: impl FnMut(&[u8])) -> Result<(), GenerationError> {
        let io = |source| io_error(&self.path, source);
        let mut file = File::open(&self.path).map_err(io)?;
        let start = self.data + self.info.data_offsets.0 as u64;
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        let mut n_left = self.n_bytes();
        let mut buffer = vec![0; CHUNK_BYTES.min(n_left)];
        while n_left > 0 {
            let bytes = &mut buffer[..CHUNK_BYTES.min(n_left)];
            file.read_exact(bytes).map_err(io)?;
            use_chunk(bytes);
            n_left -= bytes.len();
        }
        Ok(())
    }
}

/// Returns the header of a file, and where its data starts.
fn header(path: &Path) -> Result<(Metadata, u64), GenerationError> {
    let io = |source| io_error(path, source);
    let wrong = |problem: String| GenerationError::NotSafetensors {
        path: path.to_owned(),
        problem,
    };
    let mut file = File::open(path).map_err(io)?;
    let actual = file.metadata().map_err(io)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| wrong("it has no header".to_owned()))?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES || length + 8 > actual {
        return Err(wrong(format!("its header would have {length} bytes")));
    }
    let mut json = Vec::new();
    file.take(length).read_to_end(&mut json).map_err(io)?;
    // Whether offsets, shapes and kinds fit each other is checked on the way.
    let metadata: Metadata =
        serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))?;
    let data = length + 8;
    let expected = data + metadata.data_len() as u64;
    if expected != actual {
        return Err(wrong(format!(
            "it has {actual} bytes instead of {expected}"
        )));
    }
    Ok((metadata, data))
}

fn io_error(path: &Path, source: std::io::Error) -> GenerationError {
    GenerationError::Io {
        path: path.to_owned(),
        source,
    }
}
