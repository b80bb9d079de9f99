//! Help, exit codes, completions and colour of all sub-commands.

use std::process::{Command, Output};

fn label_studio_ml(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command
        .args(args)
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
}

#[test]
fn wrong_arguments_exit_with_code_2() {
    for args in [
        &[][..],
        &["unknown"],
        &["create"],
        &["create", "x", "--nonsense"],
        &["completions", "cmd"],
    ] {
        let output = label_studio_ml(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            output.stdout.is_empty(),
            "{args:?}: data only on the standard output"
        );
    }
}

#[test]
fn help_shows_examples_and_no_secrets() {
    for args in [
        &["--help"][..],
        &["create", "--help"],
        &["start", "--help"],
        &["deploy", "--help"],
        &["list", "--help"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
        let output = command
            .args(args)
            .env("LABEL_STUDIO_API_KEY", "top secret")
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("Examples:"), "{help}");
        assert!(!help.contains("top secret"), "{help}");
        assert!(!help.contains('\u{1b}'), "colour is for terminals only");
    }
}

#[test]
fn prints_completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = label_studio_ml(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        assert!(
            String::from_utf8(output.stdout).unwrap().contains("create"),
            "{shell}"
        );
    }
}

#[test]
fn prints_its_version() {
    let output = label_studio_ml(&["--version"]);
    let version = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        version,
        format!("label-studio-ml {}\n", env!("CARGO_PKG_VERSION"))
    );
}
