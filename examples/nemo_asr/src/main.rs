//! Serves the model.

use clap::Parser;
use label_studio_audio::AudioArgs;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use nemo_asr::NemoAsrArgs;

/// Transcribe audio with NeMo's CTC, RNNT and TDT models
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    nemo_asr: NemoAsrArgs,
    #[command(flatten)]
    audio: AudioArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        let audio = args.audio.start(args.server.network.options())?;
        args.nemo_asr.load(audio)
    })
}
