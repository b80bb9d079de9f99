//! Searches the web, and offers that to a chat model as a tool.

use label_studio_ml::{
    Value,
    anyhow::{self, Context},
    json,
};
use label_studio_services::{Deadline, Secret, ServiceClient, ServiceRequest};
use serde::Deserialize;

use crate::SearchArgs;

const N_RESULTS: &str = "10";
/// Most results that are shown to the model.
const MAX_RESULTS: usize = 10;
/// Longest text that is shown to the model: a page can be anything.
const MAX_CHARS: usize = 8000;
const NOTHING_AT_GOOGLE: &str = "No good Google Search Result was found";
const NOTHING: &str = "No good search result was found";
/// Separator of snippets.
const SEPARATOR: &str = "...";

/// Where to search.
#[derive(Debug, Clone)]
pub enum SearchEngine {
    /// Google's Custom Search.
    Google {
        /// Where it is asked.
        url: String,
        /// Key for it.
        key: Secret,
        /// Id of the Programmable Search Engine.
        cse_id: String,
    },
    /// A SearxNG instance, which needs no key.
    Searxng {
        /// Its address.
        url: String,
    },
}

/// Searches the web.
#[derive(Debug, Clone)]
pub struct Search {
    client: ServiceClient,
    engine: SearchEngine,
}

#[derive(Deserialize)]
struct GoogleResults {
    #[serde(default)]
    items: Vec<GoogleResult>,
}

#[derive(Deserialize)]
struct GoogleResult {
    snippet: Option<String>,
}

#[derive(Deserialize)]
struct SearxngResults {
    #[serde(default)]
    results: Vec<SearxngResult>,
}

#[derive(Deserialize)]
struct SearxngResult {
    content: Option<String>,
}

impl SearchEngine {
    /// Returns the engine that the flags set up, Google before SearxNG; none when they set up neither.
    pub fn from_args(args: &SearchArgs) -> Option<Self> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let key = args.google_api_key.clone().filter(|key| !key.is_empty());
        match (key, filled(&args.google_cse_id)) {
            (Some(key), Some(cse_id)) => {
                let url = args.google_search_url.clone();
                return Some(Self::Google { url, key, cse_id });
            }
            (None, None) => {}
            _ => tracing::error!(
                "Google is not searched: GOOGLE_API_KEY and GOOGLE_CSE_ID must both be set"
            ),
        }
        let url = filled(&args.searxng_url)?;
        Some(Self::Searxng { url })
    }
}

impl Search {
    /// Creates a search. Nothing is sent yet.
    pub fn new(client: ServiceClient, engine: SearchEngine) -> Self {
        Self { client, engine }
    }

    /// Returns the name of the tool. Chat models take letters, digits, `_` and `-`.
    pub fn name(&self) -> &'static str {
        match self.engine {
            SearchEngine::Google { .. } => "google_search_snippets",
            SearchEngine::Searxng { .. } => "web_search_snippets",
        }
    }

    /// Returns the tool as chat models are told of it.
    pub fn tool(&self) -> Value {
        let description = match self.engine {
            SearchEngine::Google { .. } => "Search Google for recent results.",
            SearchEngine::Searxng { .. } => "Search the web for recent results.",
        };
        json!({
            "type": "function",
            "function": {
                "name": self.name(),
                "description": description,
                "parameters": {
                    "type": "object",
                    "properties": { "__arg1": { "title": "__arg1", "type": "string" } },
                    "required": ["__arg1"],
                },
            },
        })
    }

    /// Returns the snippets of what was found, in one text.
    pub fn run(&self, query: &str, deadline: Deadline) -> anyhow::Result<String> {
        let text = match &self.engine {
            SearchEngine::Google { url, key, cse_id } => {
                let request = ServiceRequest::get(url)?
                    .query("q", query)
                    .query("cx", cse_id)
                    .query("num", N_RESULTS)
                    .secret_query("key", key);
                let found: GoogleResults = self
                    .client
                    .json(&request, deadline)
                    .context("Google cannot be searched")?;
                let snippets = found.items.into_iter().filter_map(|item| item.snippet);
                joined(snippets, " ", NOTHING_AT_GOOGLE)
            }
            SearchEngine::Searxng { url } => {
                let url = format!("{}/search", url.trim().trim_end_matches('/'));
                let request = ServiceRequest::get(&url)?
                    .query("q", query)
                    .query("format", "json");
                let found: SearxngResults = self.client.json(&request, deadline).context(
                    "SearxNG cannot be searched; its settings must allow the format json",
                )?;
                let snippets = found
                    .results
                    .into_iter()
                    .filter_map(|result| result.content);
                joined(snippets, " ... ", NOTHING)
            }
        };
        Ok(text.chars().take(MAX_CHARS).collect())
    }
}

fn joined(snippets: impl Iterator<Item = String>, separator: &str, nothing: &str) -> String {
    let snippets: Vec<_> = snippets
        .filter(|snippet| !snippet.trim().is_empty())
        .take(MAX_RESULTS)
        .collect();
    if snippets.is_empty() {
        return nothing.to_owned();
    }
    snippets.join(separator)
}

/// Splits what a search returned into the snippets to show.
///
/// ```
/// let snippets = langchain_search_agent::snippets("First snippet ... second one ... ");
/// assert_eq!(snippets, ["First snippet", "second one"]);
/// ```
pub fn snippets(found: &str) -> Vec<String> {
    let snippets = found.split(SEPARATOR).map(str::trim);
    snippets
        .filter(|snippet| !snippet.is_empty())
        .map(str::to_owned)
        .collect()
}
