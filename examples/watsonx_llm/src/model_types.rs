//! The names that IBM's Python library gave to models.

use label_studio_ml::anyhow::{self, bail};

/// Names of the `ModelTypes` of IBM's Python library (`ibm-watsonx-ai`), and the ids that they stand for.
const MODEL_TYPES: [(&str, &str); 26] = [
    (
        "CODELLAMA_34B_INSTRUCT_HF",
        "codellama/codellama-34b-instruct-hf",
    ),
    (
        "ELYZA_JAPANESE_LLAMA_2_7B_INSTRUCT",
        "elyza/elyza-japanese-llama-2-7b-instruct",
    ),
    ("FLAN_T5_XL", "google/flan-t5-xl"),
    ("FLAN_T5_XXL", "google/flan-t5-xxl"),
    ("FLAN_UL2", "google/flan-ul2"),
    ("GPT_NEOX", "eleutherai/gpt-neox-20b"),
    ("GRANITE_13B_CHAT", "ibm/granite-13b-chat-v1"),
    ("GRANITE_13B_CHAT_V2", "ibm/granite-13b-chat-v2"),
    ("GRANITE_13B_INSTRUCT", "ibm/granite-13b-instruct-v1"),
    ("GRANITE_13B_INSTRUCT_V2", "ibm/granite-13b-instruct-v2"),
    ("GRANITE_20B_CODE_INSTRUCT", "ibm/granite-20b-code-instruct"),
    ("GRANITE_20B_MULTILINGUAL", "ibm/granite-20b-multilingual"),
    ("GRANITE_34B_CODE_INSTRUCT", "ibm/granite-34b-code-instruct"),
    ("GRANITE_3B_CODE_INSTRUCT", "ibm/granite-3b-code-instruct"),
    ("GRANITE_7B_LAB", "ibm/granite-7b-lab"),
    ("GRANITE_8B_CODE_INSTRUCT", "ibm/granite-8b-code-instruct"),
    ("LLAMA_2_13B_CHAT", "meta-llama/llama-2-13b-chat"),
    ("LLAMA_2_70B_CHAT", "meta-llama/llama-2-70b-chat"),
    ("LLAMA_3_70B_INSTRUCT", "meta-llama/llama-3-70b-instruct"),
    ("LLAMA_3_8B_INSTRUCT", "meta-llama/llama-3-8b-instruct"),
    ("MERLINITE_7B", "ibm-mistralai/merlinite-7b"),
    (
        "MIXTRAL_8X7B_INSTRUCT_V01",
        "mistralai/mixtral-8x7b-instruct-v01",
    ),
    (
        "MIXTRAL_8X7B_INSTRUCT_V01_Q",
        "ibm-mistralai/mixtral-8x7b-instruct-v01-q",
    ),
    ("MPT_7B_INSTRUCT2", "ibm/mpt-7b-instruct2"),
    ("MT0_XXL", "bigscience/mt0-xxl"),
    ("STARCODER", "bigcode/starcoder"),
];

/// Returns the id of a model that is named by its id (`ibm/granite-3-8b-instruct`) or as in IBM's Python library
/// (`GRANITE_13B_CHAT_V2`).
///
/// # Errors
/// For a name that is neither.
pub fn model_id(name: &str) -> anyhow::Result<&str> {
    let name = name.trim();
    if name.contains('/') {
        return Ok(name);
    }
    let known = MODEL_TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    if let Some((_, id)) = known {
        return Ok(id);
    }
    let names = MODEL_TYPES.map(|(name, _)| name).join(", ");
    bail!(
        "WATSONX_MODELTYPE {name:?} is unknown; say the id of a model, such as ibm/granite-3-8b-instruct, or one of {names}"
    )
}
