//! The program's settings.

use label_studio_ml::testing::TestProgram;
use label_studio_testing::flags::variables;
use watsonx_llm::Options;

#[test]
fn every_variable_has_its_default() {
    let expected = [
        ("WATSONX_URL", "https://us-south.ml.cloud.ibm.com"),
        ("WATSONX_API_KEY", ""),
        ("WATSONX_PROJECT_ID", ""),
        ("WATSONX_MODELTYPE", ""),
        ("WATSONX_IAM_URL", "https://iam.cloud.ibm.com/oidc/token"),
        ("WATSONX_ENDPOINT", "generation"),
        ("WATSONX_API_VERSION", "2024-10-10"),
        ("MAX_NEW_TOKENS", "50"),
        ("WATSONX_PARAMETERS", "{}"),
        ("WATSONX_CHECK_MODEL", "true"),
        ("PROMPT_PREFIX", "prompt"),
        ("USE_INTERNAL_PROMPT_TEMPLATE", "true"),
        (
            "PROMPT_TEMPLATE",
            "**Source Text**:\n\n\"{text}\"\n\n**Task Directive**:\n\n\"{prompt}\"",
        ),
        ("DEFAULT_PROMPT", ""),
        ("MAX_DECODED_PIXELS", "268435456"),
        ("MAX_IMAGE_BYTES", "536870912"),
        ("MAX_IMAGE_PIXELS", "178956970"),
        ("MAX_IMAGE_SIDE", "2048"),
        ("TESSERACT_CMD", "tesseract"),
        ("OCR_LANGUAGE", "eng"),
        ("WATSONX_ENG_USERNAME", ""),
        ("WATSONX_ENG_HOST", ""),
        ("WATSONX_ENG_PORT", ""),
        ("WATSONX_CATALOG", ""),
        ("WATSONX_SCHEMA", ""),
        ("WATSONX_TABLE", ""),
        ("WATSONX_EXPORT_TOKEN", ""),
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
    TestProgram::new(env!("CARGO_BIN_EXE_watsonx_llm")).assert_empty_variables_count_as_unset(&[]);
}
