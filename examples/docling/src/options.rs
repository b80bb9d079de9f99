//! Flags of the backend.

use std::time::Duration;

use clap::Args;
use label_studio_ml::{Map, Value, sdk::http::NetworkOptions};
use label_studio_services::{Secret, ServiceArgs, ServiceOptions, parse_object, parse_seconds};

use crate::{RegionOptions, layers};

const V1: &str = "/v1";

/// Settings of the Docling service and of the regions.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Docling service.
    #[command(flatten)]
    pub address: ServiceAddress,

    /// Parts of a document that become regions.
    #[command(flatten)]
    pub shape: ShapeArgs,

    /// Time-outs, retries and proxy of services.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Docling service
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Docling")]
pub struct ServiceAddress {
    /// Address of the service, with or without /v1 at its end
    #[arg(long, env = "DOCLING_SERVICE_URL")]
    pub docling_service_url: Option<String>,

    #[arg(long, env = "DOCLING_SERVE_URL", hide = true)]
    docling_serve_url: Option<String>,

    /// Key for the service
    #[arg(long, env = "DOCLING_SERVE_API_KEY", hide_env_values = true)]
    pub docling_serve_api_key: Option<Secret>,

    #[arg(long, env = "DOCLING_API_KEY", hide = true, hide_env_values = true)]
    docling_api_key: Option<Secret>,

    /// Seconds for a conversion; what takes longer than one request goes on, and the next request finds it
    #[arg(long, env = "DOCLING_SERVE_TIMEOUT", default_value = "600", value_parser = parse_seconds)]
    pub docling_serve_timeout: Duration,

    /// Seconds to connect to the service
    #[arg(long, env = "DOCLING_HTTP_CONNECT_TIMEOUT", default_value = "30", value_parser = parse_seconds)]
    pub docling_http_connect_timeout: Duration,

    /// Have the service fetch web addresses itself: 1, true or yes
    #[arg(
        long,
        env = "DOCLING_CONVERT_REMOTE_URL_ONLY",
        default_value = "",
        hide_default_value = true
    )]
    pub docling_convert_remote_url_only: String,

    /// JSON object with more headers for conversion requests
    #[arg(long, env = "DOCLING_CONVERT_SOURCE_HEADERS_JSON", default_value = "{}", value_parser = parse_object)]
    pub docling_convert_source_headers_json: Map<String, Value>,

    /// JSON object with options of the conversion, such as `{"do_ocr": false}`
    #[arg(long, env = "DOCLING_CONVERT_OPTIONS_JSON", default_value = "{}", value_parser = parse_object)]
    pub docling_convert_options_json: Map<String, Value>,

    /// Field of the tasks that holds the document
    #[arg(long, env = "DOCLING_TASK_DATA_KEY", default_value = "image")]
    pub docling_task_data_key: String,

    /// Largest answer of the service, in MiB
    #[arg(long, env = "DOCLING_MAX_RESULT_MB", default_value_t = 256)]
    pub docling_max_result_mb: u32,

    /// Converted documents to keep in memory, in MiB
    #[arg(long, env = "RESPONSE_CACHE_MB", default_value_t = 64)]
    pub response_cache_mb: usize,
}

/// Parts of a document that become regions
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Regions")]
pub struct ShapeArgs {
    /// Name of the control
    #[arg(long, env = "DOCLING_FROM_NAME", default_value = "doclang")]
    pub docling_from_name: String,

    /// Name of the object
    #[arg(long, env = "DOCLING_TO_NAME", default_value = "doclang")]
    pub docling_to_name: String,

    /// Page to restrict to; counts from 1
    #[arg(
        long,
        env = "DOCLING_PAGE_NO",
        default_value = "",
        hide_default_value = true
    )]
    pub docling_page_no: String,

    /// Connect the regions of a page in reading order: true or false
    #[arg(long, env = "DOCLING_PREDICT_READING_ORDER", default_value = "true")]
    pub docling_predict_reading_order: String,

    /// Level of reading orders, 1 to 100
    #[arg(long, env = "DOCLING_READING_ORDER_LEVEL", default_value = "1")]
    pub docling_reading_order_level: String,

    /// Make regions of the cells of tables: true or false
    #[arg(long, env = "DOCLING_INCLUDE_TABLE_STRUCTURE", default_value = "true")]
    pub docling_include_table_structure: String,

    /// Connect tables and pictures with captions and footnotes, keys with values: true or false
    #[arg(long, env = "DOCLING_INCLUDE_RELATIONS", default_value = "true")]
    pub docling_include_relations: String,

    /// Layers, with commas between them: body, furniture, background, invisible, notes [default: body]
    #[arg(
        long,
        env = "DOCLING_CONTENT_LAYERS",
        default_value = "",
        hide_default_value = true
    )]
    pub docling_content_layers: String,
}

impl ServiceAddress {
    /// Returns the address of the service, from either variable; `None` when neither is set.
    pub fn base_url(&self) -> Option<String> {
        let urls = [&self.docling_service_url, &self.docling_serve_url];
        let mut urls = urls.into_iter().flatten().map(|url| service_base_url(url));
        urls.find(|url| !url.is_empty())
    }

    /// Returns the key, from either variable.
    pub fn api_key(&self) -> Option<&Secret> {
        let keys = [&self.docling_serve_api_key, &self.docling_api_key];
        keys.into_iter().flatten().find(|key| !key.is_empty())
    }

    /// Returns whether the service fetches web addresses itself.
    pub fn is_remote(&self) -> bool {
        let text = self.docling_convert_remote_url_only.trim().to_lowercase();
        matches!(text.as_str(), "1" | "true" | "yes")
    }

    /// Returns how the service is called.
    pub fn options(&self, service: &ServiceArgs, network: NetworkOptions) -> ServiceOptions {
        ServiceOptions {
            connect_timeout: self.docling_http_connect_timeout,
            max_bytes: self.max_result_bytes(),
            ..service.options(network)
        }
    }

    /// Returns the largest document that is read, in bytes.
    pub fn max_result_bytes(&self) -> u64 {
        u64::from(self.docling_max_result_mb) << 20
    }
}

impl ShapeArgs {
    /// Returns the options that the flags mean.
    pub fn options(&self) -> RegionOptions {
        let page_no = self.docling_page_no.trim();
        let is_number = page_no.bytes().all(|byte| byte.is_ascii_digit());
        let level = self
            .docling_reading_order_level
            .trim()
            .parse::<i64>()
            .unwrap_or(1);
        let filled = |name: &str| {
            let name = name.trim();
            if name.is_empty() { "doclang" } else { name }.to_owned()
        };
        RegionOptions {
            from_name: filled(&self.docling_from_name),
            to_name: filled(&self.docling_to_name),
            page_no: if is_number {
                page_no.parse().ok()
            } else {
                None
            },
            layers: layers(&self.docling_content_layers),
            reading_order: switch(&self.docling_predict_reading_order),
            reading_order_level: usize::try_from(level.clamp(1, 100)).unwrap_or(1),
            table_structure: switch(&self.docling_include_table_structure),
            relations: switch(&self.docling_include_relations),
            score: None,
        }
    }
}

/// Returns an address without the `/v1` at its end, which paths begin with.
///
/// ```
/// assert_eq!(docling::service_base_url(" https://example.com/tenant/v1/ "), "https://example.com/tenant");
/// ```
pub fn service_base_url(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let url = url.strip_suffix(V1).unwrap_or(url);
    url.trim_end_matches('/').to_owned()
}

/// Off is said in these words, everything else is on.
fn switch(text: &str) -> bool {
    !matches!(
        text.trim().to_lowercase().as_str(),
        "0" | "false" | "no" | "off"
    )
}
