//! The description of the routes for programs.

use serde_json::{Map, Value, json};

use crate::server::http::route::{Parameter, Route};

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
    let in_path = route
        .path_parameters()
        .map(|name| (Parameter::required(name, "string"), "path"));
    let in_query = route.query.iter().map(|parameter| (*parameter, "query"));
    let parameters = in_path.chain(in_query).map(|(parameter, place)| {
        let Parameter {
            name,
            kind,
            is_required,
        } = parameter;
        json!({ "name": name, "in": place, "required": is_required, "schema": { "type": kind } })
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
    let text = json!({ "schema": { "type": "string" } });
    match schema {
        "Page" => return json!({ "text/html": text }),
        "File" => return json!({ "*/*": {} }),
        "HealthOrPage" => {
            let health = json!({ "schema": { "$ref": "#/components/schemas/Health" } });
            return json!({ "application/json": health, "text/html": text });
        }
        _ => {}
    }
    let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
    let mut content = json!({ "application/json": { "schema": reference } });
    if schema == "Metrics" {
        content["application/openmetrics-text"] = text;
    }
    content
}

fn schemas() -> Map<String, Value> {
    let all = [call_schemas(), training_schemas(), dashboard_schemas()];
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

/// Schemas of what the dashboard asks for.
fn dashboard_schemas() -> Value {
    json!({
        "DashboardState": {
            "type": "object",
            "required": ["model", "status", "version", "calls", "failures", "projects"],
            "properties": {
                "model": { "type": "string" },
                "status": { "enum": ["ready", "loading", "failed"] },
                "problem": { "type": ["string", "null"] },
                "version": { "type": "string" },
                "uptime": { "description": "seconds", "type": "number" },
                "waiting": { "description": "requests that wait for a thread", "type": "integer" },
                "has_editor": { "type": "boolean" },
                "label_studio": {
                    "description": "why tasks of Label Studio are not shown; null if they are",
                    "type": ["string", "null"],
                },
                "calls": { "description": "the latest predictions", "type": "array", "items": {
                    "type": "object",
                    "properties": {
                        "age": { "description": "seconds", "type": "number" },
                        "milliseconds": { "type": "number" },
                        "is_ok": { "type": "boolean" },
                    },
                } },
                "failures": { "type": "array", "items": {
                    "type": "object",
                    "properties": {
                        "at": { "description": "seconds since 1970", "type": "number" },
                        "route": { "type": "string" },
                        "status": { "type": "integer" },
                        "detail": { "type": "string" },
                        "request_id": { "type": "string" },
                        "count": { "type": "integer" },
                    },
                } },
                "projects": { "type": "array", "items": {
                    "type": "object",
                    "properties": {
                        "project": { "type": "string" },
                        "model_version": { "type": ["string", "null"] },
                    },
                } },
            },
        },
        "LabelConfig": {
            "type": "object",
            "required": ["project", "label_config"],
            "properties": { "project": { "type": "string" }, "label_config": { "type": "string" } },
        },
        "Task": {
            "type": "object",
            "required": ["id", "data"],
            "properties": { "id": { "type": ["integer", "null"] }, "data": { "type": "object" } },
        },
    })
}
