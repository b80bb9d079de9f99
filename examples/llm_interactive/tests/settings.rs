//! The program's settings.

use label_studio_ml::testing::TestProgram;
use label_studio_testing::flags::variables;
use llm_interactive::Options;

#[test]
fn every_variable_has_its_default() {
    let expected = [
        ("OPENAI_PROVIDER", "openai"),
        ("OPENAI_API_KEY", ""),
        ("OPENAI_MODEL", ""),
        ("OPENAI_BASE_URL", ""),
        ("AZURE_RESOURCE_ENDPOINT", ""),
        ("AZURE_DEPLOYMENT_NAME", ""),
        ("AZURE_API_VERSION", "2023-05-15"),
        ("OLLAMA_ENDPOINT", ""),
        ("NUM_RESPONSES", "1"),
        ("TEMPERATURE", "0.7"),
        ("PROMPT_PREFIX", "prompt"),
        ("USE_INTERNAL_PROMPT_TEMPLATE", "true"),
        (
            "PROMPT_TEMPLATE",
            "**Source Text**:\n\n\"{text}\"\n\n**Task Directive**:\n\n\"{prompt}\"",
        ),
        ("DEFAULT_PROMPT", ""),
        ("SYSTEM_PROMPT", ""),
        ("STRUCTURED_OUTPUT", "off"),
        ("MEDIA_MODE", "auto"),
        ("MAX_DECODED_PIXELS", "268435456"),
        ("MAX_IMAGE_BYTES", "536870912"),
        ("MAX_IMAGE_PIXELS", "178956970"),
        ("MAX_IMAGE_SIDE", "2048"),
        ("TESSERACT_CMD", "tesseract"),
        ("OCR_LANGUAGE", "eng"),
        ("PDFTOTEXT_CMD", "pdftotext"),
        ("MAX_ANSWER_TOKENS", ""),
        ("TOKEN_BUDGET", ""),
        ("COST_BUDGET", ""),
        ("INPUT_PRICE", ""),
        ("OUTPUT_PRICE", ""),
        ("RESPONSE_CACHE_MB", "64"),
        ("STREAM", ""),
        ("EXTRA_BODY", "{}"),
        ("PARALLELISM", "16"),
        ("SERVICE_TIMEOUT", "90"),
        ("SERVICE_READ_TIMEOUT", "80"),
        ("SERVICE_RETRIES", "3"),
        ("SERVICE_CA_BUNDLE", ""),
        ("SERVICE_PROXY", ""),
    ];
    let expected = expected.map(|(name, default)| (name.to_owned(), default.to_owned()));
    assert_eq!(variables::<Options>(), expected.into());
}

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    TestProgram::new(env!("CARGO_BIN_EXE_llm_interactive"))
        .assert_empty_variables_count_as_unset(&[]);
}
