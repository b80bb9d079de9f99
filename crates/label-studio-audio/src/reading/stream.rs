//! The samples of a file while ffmpeg reads it.

use std::{
    fmt,
    io::{self, ErrorKind, Read},
    time::Duration,
};

use label_studio_inference::program::{ProgramError, ProgramStream};

use super::AudioError;
use crate::windows::Samples;

/// Start of a file in Sun's AU format.
const MAGIC: &[u8; 4] = b".snd";
const HEADER_BYTES: u32 = 24;
/// Number of the encoding with 32-bit floats.
const FLOATS: u32 = 6;
/// Most bytes between header and samples, for remarks.
const MAX_REMARK_BYTES: u32 = 1 << 16;
/// Most channels of a file: ffmpeg's own limit is higher than any microphone array has.
const MAX_CHANNELS: u32 = 1024;
const SAMPLE_BYTES: usize = size_of::<f32>();
/// Samples, over all channels, that are taken over at a time.
const BLOCK: usize = 1 << 14;

/// The samples of a file, of one channel, while ffmpeg reads it.
pub struct AudioStream {
    stream: ProgramStream,
    source: Source,
    n_channels: usize,
    n_samples: u64,
    max_samples: u64,
    max_length: Duration,
    has_ended: bool,
    block: Vec<u8>,
}

/// The file that is read, for messages.
#[derive(Debug)]
pub(super) struct Source {
    /// Name of the file.
    pub(super) file: String,
    /// Its path as ffmpeg repeats it.
    pub(super) path: String,
    /// Time that ffmpeg may take.
    pub(super) time: Duration,
}

impl AudioStream {
    pub(super) fn start(
        mut stream: ProgramStream,
        source: Source,
        rate: u32,
        max_length: Duration,
    ) -> Result<Self, AudioError> {
        let mut header = [0; HEADER_BYTES as usize];
        read_whole(&mut stream, &mut header, &source)?;
        let number = |idx: usize| {
            let bytes = header[4 * idx..4 * (idx + 1)].try_into();
            u32::from_be_bytes(bytes.expect("a number has four bytes"))
        };
        let n_remark_bytes = number(1).checked_sub(HEADER_BYTES);
        let n_remark_bytes = n_remark_bytes.filter(|n_bytes| *n_bytes <= MAX_REMARK_BYTES);
        let n_channels = number(5);
        let is_as_asked = header[..4] == *MAGIC
            && number(3) == FLOATS
            && number(4) == rate
            && (1..=MAX_CHANNELS).contains(&n_channels);
        let Some(n_remark_bytes) = n_remark_bytes.filter(|_| is_as_asked) else {
            return Err(AudioError::NotFfmpeg { file: source.file });
        };
        read_whole(&mut stream, &mut vec![0; n_remark_bytes as usize], &source)?;
        let n_channels = n_channels as usize;
        Ok(Self {
            stream,
            source,
            n_channels,
            n_samples: 0,
            max_samples: u64::try_from(max_length.as_millis() * u128::from(rate) / 1000)
                .unwrap_or(u64::MAX),
            max_length,
            has_ended: false,
            block: vec![0; (BLOCK / n_channels).max(1) * n_channels * SAMPLE_BYTES],
        })
    }

    /// Returns how many samples were read so far.
    pub fn n_samples(&self) -> u64 {
        self.n_samples
    }

    /// Reads a block of whole samples, or less at the end.
    fn read_block(&mut self, max_samples: usize) -> Result<&[u8], AudioError> {
        let sample_bytes = self.n_channels * SAMPLE_BYTES;
        let n_bytes = self
            .block
            .len()
            .min(max_samples.saturating_mul(sample_bytes));
        let mut filled = 0;
        while filled < n_bytes {
            match self.stream.read(&mut self.block[filled..n_bytes]) {
                Ok(0) => {
                    self.has_ended = true;
                    break;
                }
                Ok(n_read) => filled += n_read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failure(error, &self.source)),
            }
        }
        Ok(&self.block[..filled - filled % sample_bytes])
    }
}

impl Samples for AudioStream {
    type Error = AudioError;

    fn read(&mut self, n_samples: usize) -> Result<Vec<f32>, AudioError> {
        let mut samples = Vec::with_capacity(n_samples);
        while samples.len() < n_samples && !self.has_ended {
            let n_channels = self.n_channels;
            let block = self.read_block(n_samples - samples.len())?;
            let values = block.as_chunks::<SAMPLE_BYTES>().0;
            samples.extend(values.chunks_exact(n_channels).map(mean));
        }
        self.n_samples += samples.len() as u64;
        if self.n_samples > self.max_samples {
            return Err(AudioError::TooLong {
                file: self.source.file.clone(),
                max_seconds: self.max_length.as_secs_f64(),
            });
        }
        if self.n_samples == 0 && n_samples > 0 {
            return Err(AudioError::Empty {
                file: self.source.file.clone(),
            });
        }
        Ok(samples)
    }
}

impl fmt::Debug for AudioStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("AudioStream");
        debug.field("source", &self.source);
        debug.field("n_channels", &self.n_channels);
        debug.field("n_samples", &self.n_samples);
        debug.finish_non_exhaustive()
    }
}

/// Returns the mean of all channels; what is not finite counts as silence, since one such sample
/// would spoil all features.
fn mean(channels: &[[u8; SAMPLE_BYTES]]) -> f32 {
    let sum: f32 = channels
        .iter()
        .map(|&bytes| f32::from_be_bytes(bytes))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand channels")]
    let mean = sum / channels.len() as f32;
    if mean.is_finite() { mean } else { 0.0 }
}

fn read_whole(
    stream: &mut ProgramStream,
    bytes: &mut [u8],
    source: &Source,
) -> Result<(), AudioError> {
    stream.read_exact(bytes).map_err(|error| {
        if error.kind() == ErrorKind::UnexpectedEof {
            return AudioError::Empty {
                file: source.file.clone(),
            };
        }
        failure(error, source)
    })
}

/// Returns what the failure of a stream says about the file.
fn failure(error: io::Error, source: &Source) -> AudioError {
    let file = source.file.clone();
    let error = match error.downcast::<ProgramError>() {
        Ok(error) => error,
        Err(source) => return AudioError::Read { file, source },
    };
    match error {
        ProgramError::Timeout { .. } => AudioError::TooSlow {
            file,
            seconds: source.time.as_secs_f64(),
        },
        ProgramError::Failed {
            status, complaints, ..
        } if status.code().is_some() => {
            if complaints.contains("matches no streams") {
                return AudioError::NoAudio { file };
            }
            // The caller knows the file by its name; paths of this machine are not for it.
            let reason = complaints.replace(&format!("file:{}", source.path), &file);
            AudioError::Unreadable {
                reason: reason.replace(&source.path, &file).replace('\n', "; "),
                file,
            }
        }
        other => other.into(),
    }
}
