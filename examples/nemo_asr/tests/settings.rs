//! The program's settings.

use label_studio_ml::testing::TestProgram;
use label_studio_testing::flags;
use nemo_asr::NemoAsrArgs;

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    TestProgram::new(env!("CARGO_BIN_EXE_nemo_asr")).assert_empty_variables_count_as_unset(&[]);
}

#[test]
fn the_model_is_that_of_the_original() {
    let variables = flags::variables::<NemoAsrArgs>();
    assert_eq!(variables["MODEL_NAME"], "QuartzNet15x5Base-En");
    assert_eq!(variables["BATCH_SIZE"], "4");
}
