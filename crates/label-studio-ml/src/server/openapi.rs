//! The description of the routes for programs.

use serde_json::{Value, json};

/// Returns the `OpenAPI` document.
pub(super) fn document(version: &str) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Label Studio ML backend", "version": version },
        "paths": {
            "/health": { "get": operation("Tells that the server is up", "200", None) },
            "/ready": { "get": operation("Tells whether the model is loaded", "200", None) },
            "/metrics": { "get": operation("Numbers about the server", "200", None) },
            "/versions": { "get": operation("Lists model versions", "200", None) },
            "/predict": { "post": operation("Predicts labels", "200", Some("PredictBody")) },
            "/setup": { "post": operation("Prepares a project", "200", Some("SetupBody")) },
            "/webhook": { "post": operation("Takes annotation events", "201", Some("WebhookBody")) },
        },
        "components": { "schemas": schemas() },
    })
}

fn operation(summary: &str, status: &str, body: Option<&str>) -> Value {
    let error = json!({
        "description": "What went wrong",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
    });
    let mut operation = json!({
        "summary": summary,
        "responses": { status: { "description": "Done" }, "default": error },
    });
    if let Some(body) = body {
        let schema = json!({ "$ref": format!("#/components/schemas/{body}") });
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

fn schemas() -> Value {
    json!({
        "PredictBody": {
            "type": "object",
            "properties": {
                "tasks": { "type": "array", "items": { "type": "object", "required": ["data"] } },
                "project": { "type": ["string", "integer"], "description": "id, a dot, time of creation" },
                "label_config": { "type": "string", "description": "XML" },
                "params": { "type": "object", "properties": { "context": {} } },
            },
        },
        "SetupBody": {
            "type": "object",
            "required": ["project"],
            "properties": {
                "project": { "type": ["string", "integer"] },
                "schema": { "type": "string", "description": "label config, XML" },
                "extra_params": { "description": "JSON, or text that holds JSON" },
            },
        },
        "WebhookBody": {
            "type": "object",
            "required": ["action"],
            "properties": {
                "action": { "type": "string" },
                "project": { "type": "object", "required": ["id"] },
            },
        },
        "Error": {
            "type": "object",
            "required": ["status", "detail", "request_id"],
            "properties": {
                "status": { "type": "integer" },
                "detail": { "type": "string" },
                "request_id": { "type": "string" },
            },
        },
    })
}
