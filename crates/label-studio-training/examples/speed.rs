//! Measures steps of a training, and inference, with one thread. `fixtures/speed.py` makes the model
//! and measures PyTorch and ONNX Runtime on it.
//!
//! ```sh
//! cargo run --release -p label-studio-training --example speed -- FOLDER
//! ```
#![expect(
    clippy::print_stdout,
    reason = "a program that prints what it measured"
)]

use std::{error::Error, fs, num::NonZeroUsize, path::Path, time::Instant};

use label_studio_training::{
    Checkpoint, Inference, Network, Stepper, Task, Tokens, TrainingOptions,
};

const N_STEPS: usize = 6;
const N_RUNS: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("give the folder of a model")?;
    let start = Instant::now();
    let checkpoint = Checkpoint::in_folder(Path::new(&folder))?;
    let network = Network::load(&checkpoint, Task::SequenceClassification)?;
    let inference = Inference::new(network).with_threads(NonZeroUsize::MIN);
    inference.logits(&tokens(&texts(1, 64)))?;
    println!(
        "first answer: {:.0} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    for (n_texts, n_tokens) in [(1, 64), (16, 64), (1, 256)] {
        let texts = texts(n_texts, n_tokens);
        let run = || inference.logits(&tokens(&texts)).map(drop);
        measure(&format!("inference {n_texts} x {n_tokens}"), N_RUNS, run)?;
    }
    drop(inference);

    let network = Network::load(&checkpoint, Task::SequenceClassification)?;
    let mut stepper = Stepper::new(network, TrainingOptions::default());
    let (texts, labels): (_, Vec<_>) = (texts(8, 64), (0..8).map(|idx| Some(idx % 2)).collect());
    let step = || -> Result<(), Box<dyn Error>> {
        let loss = stepper.add_batch(&tokens(&texts), &labels, 1)?;
        stepper.step(2e-5)?;
        println!("loss {loss:.6}");
        Ok(())
    };
    measure("step 8 x 64", N_STEPS, step)
}

/// Prints the least time of a run, as a clock measures it and as the process used the CPU.
fn measure<E>(name: &str, n: usize, mut run: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    let (mut least, mut least_cpu) = (f64::MAX, f64::MAX);
    for _ in 0..n {
        let (start, cpu) = (Instant::now(), cpu_seconds());
        run()?;
        least = least.min(start.elapsed().as_secs_f64());
        least_cpu = least_cpu.min(cpu_seconds() - cpu);
    }
    println!(
        "{name}: {:.1} ms, CPU {:.0} ms",
        least * 1e3,
        least_cpu * 1e3
    );
    Ok(())
}

fn texts(n_texts: u32, n_tokens: u32) -> Vec<Vec<u32>> {
    let text = |text| {
        (0..n_tokens)
            .map(|token| 1000 + 37 * text + 11 * token)
            .collect()
    };
    (0..n_texts).map(text).collect()
}

fn tokens(texts: &[Vec<u32>]) -> Vec<Tokens<'_>> {
    let tokens = texts.iter().map(|ids| Tokens { ids, type_ids: &[] });
    tokens.collect()
}

/// Time that this process used the CPU, on Linux; 0 elsewhere.
fn cpu_seconds() -> f64 {
    let nanoseconds = || -> Option<f64> {
        let statistics = fs::read_to_string("/proc/self/schedstat").ok()?;
        statistics.split(' ').next()?.parse().ok()
    };
    nanoseconds().unwrap_or(0.0) / 1e9
}
