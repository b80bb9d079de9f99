//! The program's settings.

use huggingface_llm::parse_stop;
use label_studio_ml::testing::TestProgram;

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    TestProgram::new(env!("CARGO_BIN_EXE_huggingface_llm"))
        .assert_empty_variables_count_as_unset(&[]);
}

#[test]
fn texts_that_end_an_answer_are_a_list_or_one() {
    assert_eq!(parse_stop("\n\n"), ["\n\n"]);
    assert_eq!(parse_stop(r#"["\n", "User:"]"#), ["\n", "User:"]);
}
