//! A model with a cache of embeddings.

use std::{
    fs::{self, Metadata},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use image::RgbImage;
use lru::LruCache;
use sha2::{Digest, Sha256};

use super::{Embedding, Prompt, PromptedModel, SamError, ScoredMask, cache::ByteCache};
use crate::images::{ImageArgs, ImageError, ImageReader};

/// Files whose content is known by their name, size and time.
const N_KNOWN_FILES: NonZeroUsize = NonZeroUsize::new(4096).expect("is not zero");
/// A file may change without a change of its time for as long as this, on some file systems.
const CLOCK_TICK: Duration = Duration::from_secs(2);

type ContentId = [u8; 32];

/// Segments objects by prompts, and encodes each image once.
pub struct Predictor {
    model: Box<dyn PromptedModel>,
    reader: Arc<ImageReader>,
    embeddings: ByteCache<ContentId, Embedding>,
    known_files: Mutex<LruCache<PathBuf, (FileState, ContentId)>>,
    n_encoded: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct FileState {
    n_bytes: u64,
    modified: SystemTime,
}

impl Predictor {
    /// Creates a predictor that keeps embeddings of at most `cache_bytes` bytes, and always the
    /// last one.
    pub fn new(model: impl PromptedModel, cache_bytes: usize) -> Self {
        Self {
            model: Box::new(model),
            reader: Arc::new(ImageArgs::default().reader()),
            embeddings: ByteCache::new(cache_bytes),
            known_files: Mutex::new(LruCache::new(N_KNOWN_FILES)),
            n_encoded: AtomicU64::new(0),
        }
    }

    /// Reads images with `reader`, which bounds their size and the memory of all requests.
    #[must_use]
    pub fn with_reader(mut self, reader: Arc<ImageReader>) -> Self {
        self.reader = reader;
        self
    }

    /// Encodes the image in a file, or returns the embedding of an image with the same content. The
    /// file is not even read when it has not changed since.
    pub fn embed_file(&self, path: impl AsRef<Path>) -> Result<Arc<Embedding>, SamError> {
        let path = path.as_ref();
        let unreadable = |source| SamError::Read {
            path: path.to_owned(),
            source,
        };
        let state = file_state(&fs::metadata(path).map_err(unreadable)?).map_err(unreadable)?;
        let mut content = None;
        let id = if let Some(id) = self.known(path, state) {
            id
        } else {
            let bytes = self.read(path, state)?;
            let id = Sha256::digest(&bytes).into();
            self.remember(path, state, id);
            content = Some(bytes);
            id
        };
        self.embeddings.get_or_make(id, Embedding::n_bytes, || {
            let bytes = match content {
                Some(bytes) => bytes,
                None => self.read(path, state)?,
            };
            let encoded = self.reader.decode(&bytes, |image| self.encode(image));
            encoded.map_err(|source| ImageError::File {
                path: path.to_owned(),
                source: Box::new(source),
            })?
        })
    }

    /// Encodes a decoded image, or returns the embedding of one with the same pixels.
    pub fn embed(&self, image: &RgbImage) -> Result<Arc<Embedding>, SamError> {
        let mut hasher = Sha256::new();
        hasher.update(image.width().to_le_bytes());
        hasher.update(image.height().to_le_bytes());
        hasher.update(image.as_raw());
        self.embeddings
            .get_or_make(hasher.finalize().into(), Embedding::n_bytes, || {
                self.encode(image)
            })
    }

    /// Segments an object in an encoded image.
    pub fn segment(&self, embedding: &Embedding, prompt: &Prompt) -> Result<ScoredMask, SamError> {
        if prompt.clicks.is_empty() && prompt.rectangle.is_none() {
            return Err(SamError::NoPrompt);
        }
        self.model.decode(embedding, prompt)
    }

    /// Returns how many images have been encoded.
    pub fn n_encoded(&self) -> u64 {
        self.n_encoded.load(Ordering::Relaxed)
    }

    fn encode(&self, image: &RgbImage) -> Result<Embedding, SamError> {
        self.n_encoded.fetch_add(1, Ordering::Relaxed);
        self.model.encode(image)
    }

    fn read(&self, path: &Path, state: FileState) -> Result<Vec<u8>, SamError> {
        if state.n_bytes > self.reader.limits.max_bytes {
            return Err(ImageError::TooManyBytes {
                bytes: state.n_bytes,
                max: self.reader.limits.max_bytes,
            }
            .into());
        }
        fs::read(path).map_err(|source| SamError::Read {
            path: path.to_owned(),
            source,
        })
    }

    fn known(&self, path: &Path, state: FileState) -> Option<ContentId> {
        let mut known_files = self
            .known_files
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (known_state, id) = known_files.get(path)?;
        (*known_state == state).then_some(*id)
    }

    fn remember(&self, path: &Path, state: FileState, id: ContentId) {
        let age = SystemTime::now().duration_since(state.modified);
        if age.is_ok_and(|age| age > CLOCK_TICK) {
            let mut known_files = self
                .known_files
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            known_files.put(path.to_owned(), (state, id));
        }
    }
}

fn file_state(metadata: &Metadata) -> std::io::Result<FileState> {
    Ok(FileState {
        n_bytes: metadata.len(),
        modified: metadata.modified()?,
    })
}
