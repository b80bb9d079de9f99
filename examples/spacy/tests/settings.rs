//! The program's settings.

use label_studio_ml::testing::TestProgram;
use spacy::LabelNames;

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    TestProgram::new(env!("CARGO_BIN_EXE_spacy"))
        .assert_empty_variables_count_as_unset(&["--spacy-model", "/no/such/pipeline"]);
}

#[test]
fn other_names_of_labels_are_json() {
    let names: LabelNames = r#"{"GPE": "Place"}"#.parse().unwrap();
    assert_eq!((names.get("GPE"), names.get("ORG")), ("Place", "ORG"));
    assert_eq!(" ".parse(), Ok(LabelNames::default()));
    for wrong in ["GPE=Place", r#"{"GPE": 1}"#, "[]"] {
        let error = wrong.parse::<LabelNames>().unwrap_err();
        assert!(error.contains("JSON object"), "{error}");
    }
}
