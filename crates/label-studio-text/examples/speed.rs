//! Measures a language model: `cargo run --release -p label-studio-text --features generation --example speed FOLDER`.
//!
//! `RAYON_NUM_THREADS` sets the cores. `speed.py` beside this file makes a model, and measures PyTorch.

use std::{env, error::Error, io::Write as _, time::Instant};

use label_studio_inference::hub::{Hub, HubOptions};
use label_studio_text::generation::{GenerationOptions, LanguageModel, Prompt};

const N_PROMPT: u32 = 128;
const N_NEW: usize = 64;
const N_TOGETHER: u32 = 8;
const N_STEPS: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("give the folder of a model")?;
    let model = LanguageModel::load(&folder, &Hub::new(HubOptions::default())?)?;
    let prompt = |seed: u32| {
        let ids = (0..N_PROMPT).map(|idx| 3 + (idx * 7919 + seed * 104_729) % 31_000);
        Prompt::from_ids(ids.collect()).ok_or("no tokens")
    };
    let seconds = |prompts: &[Prompt], n_new: usize| {
        let options = GenerationOptions {
            max_new_tokens: Some(n_new),
            ..GenerationOptions::default()
        };
        let start = Instant::now();
        for answers in model.generate(prompts, &options, || true) {
            answers?;
        }
        Ok::<_, Box<dyn Error>>(start.elapsed().as_secs_f64())
    };
    let one = [prompt(0)?];
    let together: Vec<_> = (0..N_TOGETHER).map(prompt).collect::<Result<_, _>>()?;
    seconds(&one, 2)?;
    let start = seconds(&one, 1)?;
    let whole = seconds(&one, 1 + N_NEW)?;
    let start_together = seconds(&together, 1)?;
    let whole_together = seconds(&together, 1 + N_STEPS)?;
    let n_new = f64::from(u32::try_from(N_NEW)?);
    let n_together = f64::from(N_TOGETHER) * f64::from(u32::try_from(N_STEPS)?);
    writeln!(
        std::io::stdout(),
        "tokens/s: prompt {:.0}, generation {:.1}, of {N_TOGETHER} together {:.1}",
        f64::from(N_PROMPT) / start,
        n_new / (whole - start),
        n_together / (whole_together - start_together),
    )?;
    Ok(())
}
