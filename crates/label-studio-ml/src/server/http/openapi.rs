//! The description of the routes for programs.

use serde_json::{Map, Value, json};

use crate::server::http::route::Route;

/// Returns the `OpenAPI` document.
pub(crate) fn document(routes: &[Route], version: &str) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Label Studio ML backend", "version": version },
        "paths": paths,
        "components": { "schemas": schemas() },
    })
}

fn operation(route: &Route) -> Value {
    let (reply, statuses) = route.gives;
    let done = json!({ "description": "Done", "content": content(reply) });
    let mut responses: Map<_, _> = statuses
        .iter()
        .map(|status| ((*status).to_owned(), done.clone()))
        .collect();
    let error = json!({ "description": "Error", "content": content("Error") });
    responses.insert("default".to_owned(), error);
    let mut operation = json!({ "summary": route.summary, "responses": responses });
    let in_path = route.path_parameters().map(|name| (name, "path", "string"));
    let in_query = route
        .query
        .iter()
        .map(|(name, kind)| (*name, "query", *kind));
    let parameters = in_path.chain(in_query).map(|(name, place, kind)| {
        json!({ "name": name, "in": place, "required": place == "path", "schema": { "type": kind } })
    });
    let parameters: Vec<_> = parameters.collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = route.takes {
        operation["requestBody"] = json!({ "required": true, "content": content(body) });
    }
    operation
}

fn content(schema: &str) -> Value {
    if schema == "Page" {
        return json!({ "text/html": { "schema": { "type": "string" } } });
    }
    let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
    let mut content = json!({ "application/json": { "schema": reference } });
    if schema == "Metrics" {
        content["application/openmetrics-text"] = json!({ "schema": { "type": "string" } });
    }
    content
}

fn schemas() -> Map<String, Value> {
    let all = [call_schemas(), training_schemas()];
    let maps = all
        .into_iter()
        .filter_map(|schemas| schemas.as_object().cloned());
    maps.flatten().collect()
}

/// Schemas of what Label Studio sends and gets.
fn call_schemas() -> Value {
    json!({
        "Health": {
            "type": "object",
            "required": ["model_class", "status"],
            "properties": { "model_class": { "type": "string" }, "status": { "enum": ["UP", "READY"] } },
        },
        "Metrics": {
            "description": "JSON for clients that accept it, else OpenMetrics text",
            "type": "object",
            "required": ["ready", "waiting_requests", "samples"],
            "properties": {
                "ready": { "type": "boolean" },
                "waiting_requests": { "type": "integer" },
                "samples": { "type": "object", "additionalProperties": { "type": "number" } },
            },
        },
        "Versions": {
            "type": "object",
            "required": ["versions"],
            "properties": {
                "versions": { "type": "array", "items": { "type": "string" } },
                "details": { "type": "array", "items": { "$ref": "#/components/schemas/Version" } },
            },
        },
        "Description": { "description": "this document", "type": "object" },
        "Prediction": {
            "type": "object",
            "required": ["result"],
            "properties": {
                "result": { "type": "array", "items": { "type": "object" } },
                "score": { "type": ["number", "null"] },
                "model_version": { "type": "string" },
            },
        },
        "PredictReply": {
            "type": "object",
            "required": ["results"],
            "properties": { "results": { "type": "array", "items": { "anyOf": [
                { "$ref": "#/components/schemas/Prediction" },
                { "type": "array", "items": { "$ref": "#/components/schemas/Prediction" } },
                { "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } } },
            ] } } },
        },
        "SetupReply": {
            "type": "object",
            "required": ["model_version"],
            "properties": { "model_version": { "type": "string" } },
        },
        "WebhookReply": {
            "type": "object",
            "required": ["status"],
            "properties": {
                "status": { "enum": ["ok", "Unknown event"] },
                "result": { "description": "result of the training; null while it runs" },
                "job": { "type": "string", "description": "id of a training that still runs" },
            },
        },
        "PredictBody": {
            "type": "object",
            "properties": {
                "tasks": { "type": "array", "items": {
                    "type": "object",
                    "required": ["data"],
                    "properties": { "data": { "type": "object" } },
                } },
                "project": { "type": ["string", "number", "null"], "description": "id, a dot, time of creation" },
                "label_config": { "type": ["string", "null"], "minLength": 1, "description": "XML" },
                "params": { "type": ["object", "null"], "properties": { "context": {} } },
            },
        },
        "SetupBody": {
            "type": "object",
            "required": ["project"],
            "properties": {
                "project": { "type": ["string", "number"] },
                "schema": { "type": ["string", "null"], "minLength": 1, "description": "label config, XML" },
                "extra_params": { "description": "JSON, or text that holds JSON" },
            },
        },
        "WebhookBody": {
            "type": "object",
            "properties": {
                "action": { "type": "string", "description": "other actions, and none, are answered with 200" },
                "project": { "type": "object", "required": ["id"] },
            },
        },
        "TrainBody": { "type": "object", "required": ["project"], "properties": {
            "project": { "type": ["string", "number"] },
            "label_config": { "type": ["string", "null"], "minLength": 1, "description": "XML" },
        } },
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

/// Schemas of trainings and of what they make.
fn training_schemas() -> Value {
    json!({
        "Version": {
            "type": "object",
            "required": ["project", "version", "is_active"],
            "properties": {
                "project": { "type": "string" },
                "version": { "type": "string" },
                "is_active": { "type": "boolean" },
                "created_at": { "description": "seconds since 1970", "type": "number" },
                "job": { "description": "the training that made it", "type": ["string", "null"] },
                "metrics": { "description": "how good it is, in the model's words" },
                "n_bytes": { "type": "integer" },
            },
        },
        "Job": {
            "description": "A training; times are in seconds since 1970",
            "type": "object",
            "required": ["id", "project", "kind", "state", "attempts", "max_attempts", "cancel"],
            "properties": {
                "id": { "type": "string" },
                "project": { "type": "string" },
                "kind": { "type": "string" },
                "state": { "enum": ["pending", "running", "done", "failed", "cancelled"] },
                "attempts": { "type": "integer" },
                "max_attempts": { "type": "integer" },
                "run_at": { "type": "number" },
                "worker": { "type": ["string", "null"] },
                "progress": { "type": ["number", "null"], "minimum": 0, "maximum": 1 },
                "message": { "type": ["string", "null"] },
                "error": { "type": ["string", "null"] },
                "result": { "description": "what the model's fit returned" },
                "cancel": { "description": "whether a user wants it to end", "type": "boolean" },
                "created_at": { "type": "number" },
                "started_at": { "type": ["number", "null"] },
                "ended_at": { "type": ["number", "null"] },
            },
        },
        "Jobs": {
            "type": "object",
            "required": ["jobs", "next"],
            "properties": {
                "jobs": { "type": "array", "items": { "$ref": "#/components/schemas/Job" } },
                "next": { "description": "`before` of the next page", "type": ["string", "null"] },
            },
        },
        "JobLog": {
            "type": "object",
            "required": ["id", "log"],
            "properties": { "id": { "type": "string" }, "log": { "type": "string" } },
        },
    })
}
