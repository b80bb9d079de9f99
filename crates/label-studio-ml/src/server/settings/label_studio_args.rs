//! Flags for the connection to Label Studio and the files of its tasks.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args};
use label_studio_sdk::{ClientOptions, MediaOptions, http::NetworkOptions};

use crate::server::settings::value_parsers::{first_set, number, path, switch, web_address};

const MIB: u64 = 1024 * 1024;

/// Connection to Label Studio and the files of its tasks
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Label Studio")]
pub struct LabelStudioArgs {
    /// URL of Label Studio, as this machine reaches it
    #[arg(long, env = "LABEL_STUDIO_URL", value_parser = web_address)]
    pub label_studio_url: Option<String>,

    #[arg(long, env = "LABEL_STUDIO_HOST", hide = true, value_parser = web_address)]
    #[doc(hidden)]
    pub label_studio_host: Option<String>,

    /// Access token of a Label Studio account, legacy or personal
    #[arg(long, env = "LABEL_STUDIO_API_KEY", hide_env_values = true)]
    pub label_studio_api_key: Option<String>,

    #[arg(
        long,
        env = "LABEL_STUDIO_ACCESS_TOKEN",
        hide = true,
        hide_env_values = true
    )]
    #[doc(hidden)]
    pub label_studio_access_token: Option<String>,

    /// Folder of files that tasks name as /data/local-files/?d=...
    #[arg(long, env = "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT", value_parser = path())]
    pub local_files_document_root: Option<PathBuf>,

    #[arg(long, env = "HEARTEX_LOCAL_FILES_DOCUMENT_ROOT", hide = true, value_parser = path())]
    #[doc(hidden)]
    pub heartex_document_root: Option<PathBuf>,

    #[arg(long, env = "LOCAL_FILES_DOCUMENT_ROOT", hide = true, value_parser = path())]
    #[doc(hidden)]
    pub plain_document_root: Option<PathBuf>,

    /// Whether to check certificates: true or false
    #[arg(long, env = "LABEL_STUDIO_VERIFY_SSL", value_parser = switch)]
    pub verify_ssl: Option<bool>,

    #[arg(long, env = "HEARTEX_VERIFY_SSL", hide = true, value_parser = switch)]
    #[doc(hidden)]
    pub heartex_verify_ssl: Option<bool>,

    #[arg(long, env = "VERIFY_SSL", hide = true, value_parser = switch)]
    #[doc(hidden)]
    pub plain_verify_ssl: Option<bool>,

    /// Folder for downloaded files; default: media in the model folder
    #[arg(long, env = "MEDIA_CACHE_DIR", value_parser = path())]
    pub media_cache_dir: Option<PathBuf>,

    /// Largest file to download, in MiB
    #[arg(long, env = "MAX_MEDIA_MB", default_value = "2048", value_parser = number::<u32>(2048, 1..=u32::MAX))]
    pub max_media_mb: u32,

    /// Size of the cache of downloaded files, in MiB; the oldest files are removed
    #[arg(long, env = "MEDIA_CACHE_MB", default_value = "10240", value_parser = number::<u32>(10_240, 0..=u32::MAX))]
    pub media_cache_mb: u32,

    /// Seconds for downloading one file; Label Studio waits 100 for predictions
    #[arg(long, env = "MEDIA_TIMEOUT", default_value = "90", value_parser = number::<u64>(90, 1..=86_400))]
    pub media_timeout: u64,

    /// Allow downloads from private addresses other than Label Studio's
    #[arg(long, env = "ALLOW_PRIVATE_ADDRESSES", action = ArgAction::SetTrue, value_parser = switch)]
    pub allow_private_addresses: bool,
}

impl LabelStudioArgs {
    /// Returns how to reach Label Studio at `url`, without a token.
    pub fn client_options(&self, url: &str, network: NetworkOptions) -> ClientOptions {
        ClientOptions {
            verify_ssl: self.verifies_certificates(),
            network,
            ..ClientOptions::new(url)
        }
    }

    /// Returns how to download files into `cache_dir`.
    pub fn media_options(
        &self,
        cache_dir: impl Into<PathBuf>,
        network: NetworkOptions,
    ) -> MediaOptions {
        MediaOptions {
            label_studio_url: self.url().map(str::to_owned),
            document_root: self.document_root(),
            verify_ssl: self.verifies_certificates(),
            network,
            allow_private_addresses: self.allow_private_addresses,
            max_bytes: u64::from(self.max_media_mb) * MIB,
            overall_timeout: Duration::from_secs(self.media_timeout),
            max_cache_bytes: Some(u64::from(self.media_cache_mb) * MIB),
            ..MediaOptions::new(cache_dir)
        }
    }

    /// Returns the address of Label Studio, from the flag or either variable.
    pub fn url(&self) -> Option<&str> {
        first_set([&self.label_studio_url, &self.label_studio_host])
    }

    /// Returns the access token, from the flag or either variable.
    pub fn api_key(&self) -> Option<&str> {
        first_set([&self.label_studio_api_key, &self.label_studio_access_token])
    }

    /// Returns the folder of local files. The root of the file system counts as none.
    pub fn document_root(&self) -> Option<PathBuf> {
        let roots = [
            &self.local_files_document_root,
            &self.heartex_document_root,
            &self.plain_document_root,
        ];
        let root = roots
            .into_iter()
            .flatten()
            .find(|root| !root.as_os_str().is_empty())?;
        root.parent().is_some().then(|| root.clone())
    }

    /// Returns whether certificates are checked.
    pub fn verifies_certificates(&self) -> bool {
        self.verify_ssl
            .or(self.heartex_verify_ssl)
            .or(self.plain_verify_ssl)
            .unwrap_or(true)
    }
}
