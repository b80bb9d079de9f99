//! Asks a chat model, and runs the searches that it wants before it answers.

use label_studio_ml::{
    Value,
    anyhow::{self, bail},
    json, serde_json,
};
use label_studio_services::{ChatClient, Deadline};

use crate::{Search, snippets};

/// Most searches of one step; a model that wants more is told so.
const MAX_CALLS: usize = 8;

/// How far an agent may go.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most rounds of searches before the model must answer.
    pub max_steps: u32,
    /// When the answer must be there.
    pub deadline: Deadline,
}

/// A chat model that may search.
#[derive(Debug)]
pub struct Agent {
    chat: ChatClient,
    model: String,
    temperature: f64,
    search: Option<Search>,
}

/// Answer of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answered {
    /// The answer.
    pub text: String,
    /// Results of the last search.
    pub snippets: Vec<String>,
}

/// Result of a tool call, for the model.
enum ToolOutput {
    /// The output of a search.
    Found(String),
    /// Why nothing was searched.
    Refusal(String),
}

impl Agent {
    /// Creates an agent; one without a search answers without looking anything up.
    pub fn new(chat: ChatClient, model: &str, temperature: f64, search: Option<Search>) -> Self {
        Self {
            chat,
            model: model.to_owned(),
            temperature,
            search,
        }
    }

    /// Asks a question. `response_format` is that of OpenAI's API.
    pub fn ask(
        &self,
        question: &str,
        response_format: Option<&Value>,
        limits: Limits,
    ) -> anyhow::Result<Answered> {
        let mut body = json!({
            "messages": [{ "role": "user", "content": question }],
            "model": self.model,
            "temperature": number(self.temperature),
        });
        if let Some(search) = &self.search {
            body["tools"] = json!([search.tool()]);
        }
        if let Some(format) = response_format {
            body["response_format"] = format.clone();
        }
        let mut found = Vec::new();
        for step in 0..=limits.max_steps {
            if step == limits.max_steps && self.search.is_some() {
                body["tool_choice"] = "none".into();
            }
            let reply = self.chat.ask(&body, limits.deadline)?;
            let choice = &reply.choices[0];
            let calls = choice.message["tool_calls"]
                .as_array()
                .filter(|calls| !calls.is_empty());
            let Some(calls) = calls else {
                return Ok(Answered {
                    text: choice.text(),
                    snippets: found,
                });
            };
            tracing::debug!(step, n_calls = calls.len(), "the model wants to search");
            let mut messages = vec![assistant(&choice.message)];
            for (idx, call) in calls.iter().enumerate() {
                let output = if idx < MAX_CALLS {
                    self.run(call, limits.deadline)?
                } else {
                    let refusal =
                        format!("not searched: {MAX_CALLS} searches at once are the most");
                    ToolOutput::Refusal(refusal)
                };
                let text = match output {
                    ToolOutput::Found(text) => {
                        found = snippets(&text);
                        text
                    }
                    ToolOutput::Refusal(text) => text,
                };
                messages
                    .push(json!({ "role": "tool", "tool_call_id": call["id"], "content": text }));
            }
            let conversation = body["messages"]
                .as_array_mut()
                .expect("the messages are a list");
            conversation.append(&mut messages);
        }
        bail!(
            "the model still wanted to search after {} steps; raise MAX_STEPS, or ask for less",
            limits.max_steps
        )
    }

    /// Runs a tool call. The model is told about a call that it got wrong; a search that fails is an error of the task.
    fn run(&self, call: &Value, deadline: Deadline) -> anyhow::Result<ToolOutput> {
        let function = &call["function"];
        let name = function["name"].as_str().unwrap_or_default();
        let Some(search) = &self.search else {
            let refusal = format!("{name} is not a valid tool; there are none");
            return Ok(ToolOutput::Refusal(refusal));
        };
        if name != search.name() {
            let refusal = format!("{name} is not a valid tool, try {}", search.name());
            return Ok(ToolOutput::Refusal(refusal));
        }
        let Some(query) = query(&function["arguments"]) else {
            let refusal = "the arguments are not of the form {\"__arg1\": \"words to search for\"}";
            return Ok(ToolOutput::Refusal(refusal.to_owned()));
        };
        Ok(ToolOutput::Found(search.run(&query, deadline)?))
    }
}

/// Returns the message as the model gets it back, reduced to the fields that the API accepts.
fn assistant(message: &Value) -> Value {
    json!({
        "role": "assistant",
        "content": message["content"],
        "tool_calls": message["tool_calls"],
    })
}

/// Returns the one text among the arguments of a call.
fn query(arguments: &Value) -> Option<String> {
    let arguments = match arguments {
        Value::String(json) => serde_json::from_str(json).ok()?,
        arguments => arguments.clone(),
    };
    let text = match &arguments {
        Value::Object(fields) => {
            let named = fields.get("__arg1").and_then(Value::as_str);
            named.or_else(|| fields.values().find_map(Value::as_str))?
        }
        Value::String(text) => text,
        _ => return None,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A whole number is sent as one.
#[expect(clippy::cast_possible_truncation, reason = "temperatures are small")]
fn number(number: f64) -> Value {
    if number.fract() == 0.0 {
        (number as i64).into()
    } else {
        number.into()
    }
}
