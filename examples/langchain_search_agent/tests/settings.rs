//! The program's settings.

use label_studio_ml::testing::TestProgram;
use label_studio_testing::flags::variables;
use langchain_search_agent::Options;

#[test]
fn every_variable_has_its_default() {
    let expected = [
        ("OPENAI_API_KEY", ""),
        ("OPENAI_MODEL", ""),
        ("OPENAI_BASE_URL", ""),
        ("OPENAI_API_BASE", ""),
        ("TEMPERATURE", "0"),
        ("TOKEN_BUDGET", ""),
        ("COST_BUDGET", ""),
        ("INPUT_PRICE", ""),
        ("OUTPUT_PRICE", ""),
        ("GOOGLE_API_KEY", ""),
        ("GOOGLE_CSE_ID", ""),
        (
            "GOOGLE_SEARCH_URL",
            "https://customsearch.googleapis.com/customsearch/v1",
        ),
        ("SEARXNG_URL", ""),
        ("MAX_STEPS", "8"),
        ("TASK_TIMEOUT", "60"),
        ("STRUCTURED_OUTPUT", ""),
        ("PROMPT_PREFIX", "prompt"),
        ("PROMPT_TEMPLATE", "{prompt}{text}"),
        ("DEFAULT_PROMPT", ""),
        ("RESPONSE_PREFIX", "response"),
        ("SNIPPETS_PREFIX", "snippets"),
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
    TestProgram::new(env!("CARGO_BIN_EXE_langchain_search_agent"))
        .assert_empty_variables_count_as_unset(&[]);
}
