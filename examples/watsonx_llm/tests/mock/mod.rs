//! A mock of watsonx.ai with IBM's token exchange, and the flags to ask it with.

use label_studio_ml::json;
use label_studio_testing::{Answer, MockService, Received, flags};
use watsonx_llm::Options;

/// Serves the token exchange and the list of models; `answer` answers the questions.
pub(crate) fn watsonx(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> MockService {
    MockService::start(move |request| match request.path() {
        "/oidc/token" => Answer::json(&json!({ "access_token": "token-1", "expires_in": 3600 })),
        "/ml/v1/foundation_model_specs" => Answer::json(&json!({ "resources": [
            { "model_id": "ibm/granite-13b-chat-v2" },
            { "model_id": "google/flan-ul2" },
        ] })),
        _ => answer(request),
    })
}

pub(crate) fn generated(text: &str) -> Answer {
    Answer::json(&json!({
        "model_id": "ibm/granite-13b-chat-v2",
        "results": [{ "generated_text": text, "generated_token_count": 5, "input_token_count": 46, "stop_reason": "eos_token" }],
    }))
}

pub(crate) fn options(service: &MockService, more: &[&str]) -> Options {
    let (url, iam) = (service.url(""), service.url("/oidc/token"));
    let mut args = vec![
        "--watsonx-url",
        &url,
        "--watsonx-iam-url",
        &iam,
        "--watsonx-api-key",
        "secret-api-key",
        "--watsonx-project-id",
        "project-1",
        "--watsonx-modeltype",
        "GRANITE_13B_CHAT_V2",
    ];
    args.extend(more);
    flags::parse(&args)
}
