//! The program's settings.

use std::process::{Command, Output};

fn run(arguments: &[&str], variables: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grounding_sam"));
    command
        .args(arguments)
        .envs(variables.iter().map(|name| (name, "")));
    command.output().unwrap()
}

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    let help = String::from_utf8(run(&["--help"], &[]).stdout).unwrap();
    let variables: Vec<_> = help
        .split("[env: ")
        .skip(1)
        .filter_map(|rest| rest.split(['=', ']']).next())
        .collect();
    assert!(variables.contains(&"ORT_DYLIB_PATH"), "{variables:?}");
    let program = run(
        &["--check", "--grounding-dino-weights", "missing.onnx"],
        &variables,
    );
    let message = [program.stderr, program.stdout].concat();
    let message = String::from_utf8_lossy(&message);
    // It has read its settings and gone on to the model, which is not there.
    assert_eq!(program.status.code(), Some(1), "{message}");
    assert!(
        message.contains("the model could not be loaded"),
        "{message}"
    );
}
