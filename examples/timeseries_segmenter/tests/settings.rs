//! The program's settings.

use label_studio_ml::testing::TestProgram;

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    TestProgram::new(env!("CARGO_BIN_EXE_timeseries_segmenter"))
        .assert_empty_variables_count_as_unset(&[]);
}
