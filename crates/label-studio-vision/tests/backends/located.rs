//! Finds checkpoints by a backend's flags, offline. The tests of the SAM backends include this
//! file.

use clap::Parser;
use label_studio_inference::hub::{Hub, HubArgs};
use label_studio_ml::{anyhow, sdk::http::NetworkOptions};
use label_studio_vision::models::sam::Checkpoints;

/// Flags of a backend, and those of the hub.
#[derive(Debug, Parser)]
pub(crate) struct Flags<A: clap::Args> {
    #[command(flatten)]
    checkpoints: A,
    #[command(flatten)]
    hub: HubArgs,
}

/// Returns the files that the flags lead to.
pub(crate) fn located<A: clap::Args>(
    flags: &[&str],
    locate: fn(&A, &Hub) -> anyhow::Result<Checkpoints>,
) -> anyhow::Result<Checkpoints> {
    let flags = ["test", "--hf-hub-offline"].iter().chain(flags);
    let Flags { checkpoints, hub } = Flags::<A>::parse_from(flags);
    locate(&checkpoints, &hub.hub(NetworkOptions::default()).unwrap())
}
