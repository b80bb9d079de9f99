//! Runs a model on the audio of tasks.

use std::path::PathBuf;

use label_studio_audio::{
    reading::AudioReader,
    transcript::Transcript,
    windows::{WindowOptions, Windows},
};
use label_studio_ml::anyhow;

use crate::{Recogniser, recogniser::Prepared};

/// Runs a model on the audio of tasks.
pub struct Transcriber {
    /// Reads audio.
    pub reader: AudioReader,
    /// The model.
    pub recogniser: Recogniser,
    /// How long audio is cut; the rate is the model's.
    pub windows: WindowOptions,
}

/// The windows that are yet to run, and what is said so far.
struct Batch<'a> {
    transcriber: &'a Transcriber,
    waiting: Vec<(usize, Prepared)>,
    said: Vec<anyhow::Result<Transcript>>,
}

impl Transcriber {
    /// Returns what is said in each file, or why it cannot be known.
    ///
    /// Files are read one after the other, when their turn comes; windows of several files run
    /// together.
    pub fn transcribe(
        &self,
        files: impl IntoIterator<Item = anyhow::Result<PathBuf>>,
    ) -> Vec<anyhow::Result<Transcript>> {
        let mut batch = Batch {
            transcriber: self,
            waiting: Vec::new(),
            said: Vec::new(),
        };
        for (idx, file) in files.into_iter().enumerate() {
            batch.said.push(Ok(Transcript::default()));
            if let Err(error) = file.and_then(|file| batch.read(idx, &file)) {
                batch.said[idx] = Err(error);
            }
        }
        batch.run();
        batch.said
    }
}

impl Batch<'_> {
    fn read(&mut self, idx: usize, file: &std::path::Path) -> anyhow::Result<()> {
        let Transcriber {
            reader,
            recogniser,
            windows,
        } = self.transcriber;
        let rate = recogniser.sample_rate();
        let stream = reader.open(file, rate)?;
        for window in Windows::new(stream, WindowOptions { rate, ..*windows }) {
            let window = window?;
            if let Ok(said) = &mut self.said[idx] {
                #[expect(clippy::cast_precision_loss, reason = "audio lasts hours")]
                let end = window.own.end as f64;
                said.duration = end / f64::from(rate);
            } else {
                // A window of the file could not be run.
                return Ok(());
            }
            self.waiting
                .extend(recogniser.prepare(window).map(|window| (idx, window)));
            if self.waiting.len() >= recogniser.batch_size() {
                self.run();
            }
        }
        Ok(())
    }

    /// Runs the windows that wait.
    fn run(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let windows: Vec<_> = waiting.iter().map(|(_, window)| window).collect();
        let found = self.transcriber.recogniser.tokens(&windows);
        for ((idx, _), tokens) in waiting.iter().zip(found) {
            let said = &mut self.said[*idx];
            match (tokens, said.as_mut()) {
                (Ok(tokens), Ok(said)) => said.tokens.extend(tokens),
                (Err(error), Ok(_)) => *said = Err(error),
                (_, Err(_)) => {}
            }
        }
    }
}
