use std::fmt::Write as _;

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::Html,
    routing::{MethodRouter, get},
};
use serde_json::Value;

use crate::server::{
    backend::SharedBackend,
    http::{openapi, route::Route},
};

/// The page has no scripts, styles or images, and other pages may not show it in a frame.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Describes `routes` to people: a page that needs nothing else.
pub(crate) fn docs(routes: &'static [Route]) -> MethodRouter<SharedBackend> {
    get(async move |State(backend): State<SharedBackend>| {
        let page = page(&openapi::document(routes, &backend.version));
        (headers(), Html(page))
    })
}

fn headers() -> [(HeaderName, &'static str); 2] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ]
}

fn page(document: &Value) -> String {
    // Writing into a String cannot fail.
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\">\
        <meta name=\"color-scheme\" content=\"light dark\">\
        <title>Routes of the backend</title></head><body><main><h1>Routes of the backend</h1>\
        <p>The same for programs: <a href=\"openapi.json\">openapi.json</a></p>",
    );
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            let _ = writeln!(
                html,
                "<h2><code>{} {}</code></h2><p>{}</p>",
                escaped(&method.to_uppercase()),
                escaped(path),
                escaped(summary)
            );
            html.push_str(&parameters(operation));
            let bodies = [
                ("Takes", &operation["requestBody"]["content"]),
                ("Answers", &operation["responses"]["200"]["content"]),
                ("Answers", &operation["responses"]["201"]["content"]),
            ];
            for (title, content) in bodies {
                html.push_str(&schema_links(title, content));
            }
        }
    }
    html.push_str("<h2>Schemas</h2>\n");
    let schemas = document["components"]["schemas"].as_object();
    for (name, schema) in schemas.into_iter().flatten() {
        let text = serde_json::to_string_pretty(schema).unwrap_or_default();
        let (name, text) = (escaped(name), escaped(&text));
        let _ = writeln!(
            html,
            "<details id=\"{name}\" open><summary><code>{name}</code></summary><pre>{text}</pre></details>"
        );
    }
    html.push_str("</main></body></html>\n");
    html
}

fn parameters(operation: &Value) -> String {
    let Some(parameters) = operation["parameters"].as_array() else {
        return String::new();
    };
    let mut html = "<ul>".to_owned();
    for parameter in parameters {
        let text = |key: &str| escaped(parameter[key].as_str().unwrap_or_default());
        let kind = escaped(parameter["schema"]["type"].as_str().unwrap_or_default());
        let _ = write!(
            html,
            "<li><code>{}</code>, {kind}, in the {}</li>",
            text("name"),
            text("in")
        );
    }
    html.push_str("</ul>\n");
    html
}

fn schema_links(title: &str, content: &Value) -> String {
    let mut html = String::new();
    for (media_type, body) in content.as_object().into_iter().flatten() {
        let reference = body["schema"]["$ref"].as_str().unwrap_or_default();
        let name = escaped(reference.rsplit('/').next().unwrap_or_default());
        let media_type = escaped(media_type);
        let link = match name.as_str() {
            "" => String::new(),
            name => format!(" <a href=\"#{name}\">{name}</a>"),
        };
        let _ = writeln!(html, "<p>{title} <code>{media_type}</code>{link}</p>");
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
