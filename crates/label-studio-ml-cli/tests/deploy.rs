//! `label-studio-ml deploy` with a mock `gcloud` that records its arguments.

#![cfg(unix)]

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

const KEY: &str = "top secret: \"key\"";
const ENV: &[(&str, &str)] = &[("LABEL_STUDIO_API_KEY", KEY), ("GCP_PROJECT", "my-project")];

/// A mock gcloud that is signed in, and keeps the file of variables.
const GCLOUD: &str = r#"#!/bin/sh
echo "$*" >> "$RECORD/calls"
case "$2" in
print-identity-token) echo token ;;
deploy)
    for last in "$@"; do :; done
    echo "$last" > "$RECORD/path"
    /bin/cp -p "$last" "$RECORD/variables"
    ;;
esac
"#;
const SIGNED_OUT: &str = "#!/bin/sh\nexit 1\n";
/// Ends its caller in the middle of a deployment and then waits for the file of variables to go.
const INTERRUPTED: &str = r#"#!/bin/sh
case "$2" in
print-identity-token) echo token ;;
deploy)
    for last in "$@"; do :; done
    echo "$last" > "$RECORD/path"
    kill -TERM "$PPID"
    n=0
    while [ -e "$last" ] && [ $n -lt 2000000 ]; do n=$((n + 1)); done
    ;;
esac
"#;

struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new(gcloud: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path();
        for folder in ["bin", "record", "my_backend"] {
            fs::create_dir(path.join(folder)).unwrap();
        }
        fs::write(path.join("my_backend/Dockerfile"), "FROM scratch\n").unwrap();
        if !gcloud.is_empty() {
            let program = path.join("bin/gcloud");
            fs::write(&program, gcloud).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn deploy(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
        command
            .arg("deploy")
            .args(args)
            .current_dir(self.folder.path())
            .env_clear();
        command
            .env("PATH", self.path("bin"))
            .env("RECORD", self.path("record"));
        command.envs(env.iter().copied()).output().unwrap()
    }

    fn recorded(&self, name: &str) -> String {
        fs::read_to_string(self.path("record").join(name)).unwrap_or_default()
    }
}

/// Deploys with `args` and expects exit code `code` and `text` on the standard error.
fn check(gcloud: &str, args: &[&str], env: &[(&str, &str)], code: i32, text: &str) -> Scene {
    let scene = Scene::new(gcloud);
    let output = scene.deploy(args, env);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(said.contains(text), "{args:?}: {said}");
    assert!(!said.contains("top secret"), "{said}");
    scene
}

#[test]
fn runs_gcloud_without_secrets_in_its_arguments() {
    let args = [
        "gcp",
        "my_backend",
        "--label-studio-host",
        "https://ls.example",
    ];
    let scene = check(GCLOUD, &args, ENV, 0, "any client can call");
    let variables = scene.recorded("path");
    assert_eq!(
        scene.recorded("calls"),
        format!(
            "auth print-identity-token\n\
             config set project my-project\n\
             run deploy my-backend --source ./my_backend --region us-central1 --allow-unauthenticated --quiet \
             --env-vars-file {variables}"
        )
    );
    assert_eq!(
        scene.recorded("variables"),
        "LABEL_STUDIO_ML_BACKEND_V2: \"1\"\n\
         LABEL_STUDIO_HOSTNAME: \"https://ls.example\"\n\
         LABEL_STUDIO_URL: \"https://ls.example\"\n\
         LABEL_STUDIO_API_KEY: \"top secret: \\\"key\\\"\"\n"
    );
    let kept = fs::metadata(scene.path("record/variables")).unwrap();
    assert_eq!(
        kept.permissions().mode() & 0o777,
        0o600,
        "only the owner reads it"
    );
    assert!(!Path::new(variables.trim()).exists(), "the file is removed");
}

#[test]
fn takes_options_over_variables() {
    let args = [
        "gcp",
        "my_backend",
        "--gcp-project-id=other",
        "--gcp-region=europe-west1",
        "--label-studio-api-key=abc",
        "--basic-auth-user=u",
        "--basic-auth-pass=p",
    ];
    let scene = check(GCLOUD, &args, ENV, 0, "");
    assert!(scene.recorded("calls").contains("set project other\n"));
    assert!(scene.recorded("calls").contains("--region europe-west1 "));
    assert!(
        scene
            .recorded("variables")
            .contains("LABEL_STUDIO_API_KEY: \"abc\"\n")
    );
    assert!(
        scene
            .recorded("variables")
            .ends_with("BASIC_AUTH_USER: \"u\"\nBASIC_AUTH_PASS: \"p\"\n")
    );
}

#[test]
fn a_dry_run_prints_calls_and_masks_secrets() {
    let scene = Scene::new(GCLOUD);
    let output = scene.deploy(&["gcp", "my_backend", "--dry-run"], ENV);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "gcloud auth print-identity-token\n\
         gcloud config set project my-project\n\
         gcloud run deploy my-backend --source ./my_backend --region us-central1 --allow-unauthenticated --quiet \
         --env-vars-file VARIABLES.yaml\n\
         \n\
         # VARIABLES.yaml, a temporary file that only you can read:\n\
         LABEL_STUDIO_ML_BACKEND_V2: \"1\"\n\
         LABEL_STUDIO_HOSTNAME: \"https://app.heartex.com\"\n\
         LABEL_STUDIO_URL: \"https://app.heartex.com\"\n\
         LABEL_STUDIO_API_KEY: \"********\"\n"
    );
    assert_eq!(scene.recorded("calls"), "", "no command is run");
}

#[test]
fn a_signal_removes_the_file_of_variables() {
    let scene = Scene::new(INTERRUPTED);
    let output = scene.deploy(&["gcp", "my_backend"], ENV);
    assert_eq!(output.status.signal(), Some(15), "{output:?}");
    let variables = scene.recorded("path");
    assert!(!variables.is_empty());
    assert!(!Path::new(variables.trim()).exists());
}

#[test]
fn names_the_missing_setting() {
    let name = ["gcp", "my_backend"];
    check(
        GCLOUD,
        &name,
        &[("GCP_PROJECT", "p")],
        2,
        "--label-studio-api-key",
    );
    check(
        GCLOUD,
        &name,
        &[("LABEL_STUDIO_API_KEY", KEY)],
        2,
        "--gcp-project-id",
    );
    let empty = [("LABEL_STUDIO_API_KEY", ""), ("GCP_PROJECT", "p")];
    check(GCLOUD, &name, &empty, 2, "--label-studio-api-key");
    check(GCLOUD, &["gcp", "nowhere"], ENV, 1, "no folder ./nowhere");
    check("", &name, ENV, 1, "gcloud is not installed");
    check(SIGNED_OUT, &name, ENV, 1, "gcloud auth login");
}

#[test]
fn lists_the_providers_it_knows() {
    check(
        GCLOUD,
        &["aws", "my_backend"],
        ENV,
        2,
        "possible values: gcp",
    );
}

#[test]
fn refuses_a_folder_that_the_provider_cannot_build() {
    let scene = Scene::new(GCLOUD);
    let manifest = "[dependencies]\nlabel-studio-ml = { path = \"/checkout\" }\n";
    fs::write(scene.path("my_backend/Cargo.toml"), manifest).unwrap();
    let output = scene.deploy(&["gcp", "my_backend"], ENV);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("depends on a folder of this machine")
    );
    assert!(
        scene
            .deploy(&["gcp", "my_backend", "--force"], ENV)
            .status
            .success()
    );
}

#[test]
fn reports_a_failed_command() {
    let failing = GCLOUD.replace("deploy)", "deploy) exit 3; ");
    check(
        &failing,
        &["gcp", "my_backend"],
        ENV,
        1,
        "`gcloud run deploy` failed",
    );
}
