//! `label-studio-ml create`, without building what it writes.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

fn create(root: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command.arg("create").args(args).arg("--root-dir").arg(root);
    command.output().unwrap()
}

/// Creates a backend and expects exit code `code` and `text` on the standard error.
fn check(root: &Path, args: &[&str], code: i32, text: &str) {
    let output = create(root, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(said.contains(text), "{args:?}: {said}");
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn writes_a_whole_backend() {
    let root = TempDir::new().unwrap();
    let output = create(root.path(), &["mood"]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("cargo test"));
    assert_eq!(entries(root.path()), ["mood"]);
    for file in [
        "Dockerfile",
        "docker-compose.yml",
        "README.md",
        ".dockerignore",
        ".gitignore",
    ] {
        assert!(root.path().join("mood").join(file).is_file(), "{file}");
    }
}

#[test]
fn gives_every_file_the_name() {
    let root = TempDir::new().unwrap();
    check(root.path(), &["mood-2"], 0, "");
    assert!(read(root.path(), "mood-2/Cargo.toml").contains("name = \"mood-2\""));
    assert!(read(root.path(), "mood-2/Dockerfile").contains("target/release/mood-2 "));
    assert!(read(root.path(), "mood-2/docker-compose.yml").contains("\n  mood-2:\n"));
    assert!(read(root.path(), "mood-2/src/main.rs").contains("use mood_2::"));
    assert!(read(root.path(), "mood-2/tests/model.rs").contains("use mood_2::"));
    for file in [
        "Cargo.toml",
        "Dockerfile",
        "README.md",
        "docker-compose.yml",
        "src/lib.rs",
        "src/main.rs",
    ] {
        assert!(
            !read(&root.path().join("mood-2"), file).contains("my_backend"),
            "{file}"
        );
    }
}

#[test]
fn init_is_another_name_of_create() {
    let root = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    let output = command
        .args(["init", "mood", "--root-dir"])
        .arg(root.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// The dependency on the repository, as the manifest of a new backend has it.
const FROM_GIT: &str = concat!(
    "label-studio-ml = { git = \"",
    env!("CARGO_PKG_REPOSITORY"),
    "\" }\n"
);

#[test]
fn builds_with_the_checkout_given_as_sdk_path_on_this_machine_only() {
    let root = TempDir::new().unwrap();
    let sdk = root.path().join("sdk/crates/label-studio-ml");
    fs::create_dir_all(&sdk).unwrap();
    let manifest = "[package]\nname = \"label-studio-ml\"\n";
    fs::write(sdk.join("Cargo.toml"), manifest).unwrap();
    let checkout = root.path().join("sdk");
    for (name, path) in [("mood", &checkout), ("other", &sdk)] {
        let path = path.to_str().unwrap();
        check(
            root.path(),
            &[name, "--sdk-path", path],
            0,
            "built with the checkout",
        );
        let folder = root.path().join(name);
        assert!(read(&folder, "Cargo.toml").contains(FROM_GIT));
        let entry = format!(
            "label-studio-ml = {{ path = {:?} }}",
            sdk.canonicalize().unwrap()
        );
        assert!(read(&folder, ".cargo/config.toml").contains(&entry));
        for ignored in [".gitignore", ".dockerignore"] {
            assert!(read(&folder, ignored).contains(".cargo/"), "{ignored}");
        }
    }
    check(
        root.path(),
        &["third", "--sdk-path", "/nowhere"],
        1,
        "is not a checkout",
    );
}

#[test]
fn names_the_repository_that_it_depends_on_without_a_checkout() {
    let root = TempDir::new().unwrap();
    let url = "https://git.example/fork";
    check(
        root.path(),
        &["mood", "--sdk-git", url],
        0,
        "depends on https://git.example/fork",
    );
    assert!(
        read(root.path(), "mood/Cargo.toml")
            .contains("label-studio-ml = { git = \"https://git.example/fork\" }\n")
    );
    assert!(!root.path().join("mood/.cargo").exists());
    check(
        root.path(),
        &["other", "--sdk-git", url, "--sdk-rev", "v1"],
        0,
        "",
    );
    assert!(read(root.path(), "other/Cargo.toml").contains("fork\", rev = \"v1\" }\n"));
}

#[test]
fn builds_with_the_checkout_that_it_was_built_in_when_installed_elsewhere() {
    let root = TempDir::new().unwrap();
    let installed = root.path().join("label-studio-ml");
    fs::copy(env!("CARGO_BIN_EXE_label-studio-ml"), &installed).unwrap();
    let mut command = Command::new(installed);
    let output = command
        .args(["create", "mood"])
        .current_dir(root.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../label-studio-ml");
    let dependency = format!("path = {:?}", sdk.canonicalize().unwrap());
    assert!(read(root.path(), "mood/.cargo/config.toml").contains(&dependency));
    assert!(read(root.path(), "mood/Cargo.toml").contains(FROM_GIT));
}

/// What `COPY` takes from the build's folder, not from another stage.
fn copied(dockerfile: &str) -> Vec<&str> {
    let lines = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "));
    lines
        .filter(|line| !line.starts_with("--from="))
        .flat_map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            words[..words.len() - 1].to_vec()
        })
        .collect()
}

#[test]
fn a_dockerfile_needs_only_the_folder_and_the_repository() {
    let root = TempDir::new().unwrap();
    check(root.path(), &["native"], 0, "");
    check(root.path(), &["python", "--language", "python"], 0, "");
    assert!(read(root.path(), "native/Cargo.toml").contains(FROM_GIT));
    let dockerfile = read(root.path(), "native/Dockerfile");
    assert_eq!(copied(&dockerfile), ["."]);

    let dockerfile = read(root.path(), "python/Dockerfile");
    let ignored = read(root.path(), "python/.dockerignore");
    for file in copied(&dockerfile) {
        let is_there = root.path().join("python").join(file).exists() || file.contains('*');
        assert!(
            is_there && ignored.lines().all(|line| line != file),
            "{file}"
        );
    }
    let wheel = concat!(
        "git+",
        env!("CARGO_PKG_REPOSITORY"),
        "#subdirectory=crates/label-studio-ml-python"
    );
    assert!(dockerfile.contains(wheel), "{dockerfile}");
    // The Python original has the name label-studio-ml on the package index.
    let requirements = read(root.path(), "python/requirements-base.txt");
    assert!(
        requirements.contains("\nlabel-studio-ml-rs[fast]>="),
        "{requirements}"
    );
}

#[test]
fn is_its_own_workspace_inside_one_of_which_it_is_no_member() {
    let root = TempDir::new().unwrap();
    fs::write(
        root.path().join("Cargo.toml"),
        "[workspace]\nmembers = [\"examples/*\"]\n",
    )
    .unwrap();
    check(root.path(), &["mood"], 0, "");
    assert!(read(root.path(), "mood/Cargo.toml").contains("\n[workspace]\n"));
    check(
        &root.path().join("examples"),
        &["mood"],
        0,
        "member of a workspace",
    );
    let member = read(root.path(), "examples/mood/Cargo.toml");
    assert!(!member.contains("[workspace]") && member.contains("label-studio-ml = { path ="));
    assert!(!root.path().join("examples/mood/.cargo").exists());
    assert!(!root.path().join("examples/mood/Cargo.lock").exists());
}

#[test]
fn leaves_an_existing_folder_alone() {
    let root = TempDir::new().unwrap();
    check(root.path(), &["mood"], 0, "");
    fs::write(root.path().join("mood/src/lib.rs"), "my work").unwrap();
    check(root.path(), &["mood"], 1, "replace it with --force");
    assert_eq!(read(root.path(), "mood/src/lib.rs"), "my work");
}

#[test]
fn force_replaces_a_generated_backend_only() {
    let root = TempDir::new().unwrap();
    check(root.path(), &["mood"], 0, "");
    fs::write(root.path().join("mood/leftover"), "").unwrap();
    check(root.path(), &["mood", "--force"], 0, "");
    assert!(!root.path().join("mood/leftover").exists());

    fs::create_dir(root.path().join("thesis")).unwrap();
    fs::write(root.path().join("thesis/chapter"), "one").unwrap();
    check(
        root.path(),
        &["thesis", "--force"],
        1,
        "does not replace it",
    );
    assert_eq!(read(root.path(), "thesis/chapter"), "one");
    assert_eq!(
        entries(root.path()),
        ["mood", "thesis"],
        "temporary folders are removed"
    );
}

#[test]
fn refuses_names_that_cargo_would_refuse() {
    let root = TempDir::new().unwrap();
    for (name, reason) in [
        ("", "starts with a letter"),
        ("2fast", "starts with a letter"),
        ("été", "starts with a letter"),
        ("a b", "starts with a letter"),
        ("../up", "--root-dir"),
        ("a\\b", "--root-dir"),
        ("match", "reserved by Rust or cargo"),
        ("Test", "reserved by Rust or cargo"),
        ("clap", "reserved by Rust or cargo"),
        (&"a".repeat(65), "at most 64"),
    ] {
        check(root.path(), &[name], 2, reason);
    }
    assert!(entries(root.path()).is_empty());
}

#[test]
fn needs_the_python_package_to_find_a_python_class() {
    let root = TempDir::new().unwrap();
    check(
        root.path(),
        &["mood", "--script", "model.py"],
        1,
        "pip install CHECKOUT/crates/label-studio-ml-python",
    );
}

#[test]
fn wraps_a_python_script_whose_class_is_named() {
    let root = TempDir::new().unwrap();
    let script = root.path().join("classifier.py");
    fs::write(&script, "class Mood: ...").unwrap();
    fs::write(root.path().join("requirements.txt"), "numpy").unwrap();
    let spec = format!("{}:Mood", script.display());
    let output = create(root.path(), &["My Backend", "--from", &spec]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("/My Backend' && pip"),
        "{said}"
    );
    let folder = root.path().join("My Backend");
    assert_eq!(
        entries(&folder),
        [
            ".dockerignore",
            "Dockerfile",
            "README.md",
            "_wsgi.py",
            "classifier.py",
            "docker-compose.yml",
            "requirements-base.txt",
            "requirements-test.txt",
            "requirements.txt",
            "test_api.py",
        ]
    );
    let wsgi = read(&folder, "_wsgi.py");
    assert!(wsgi.contains("from classifier import Mood\n"), "{wsgi}");
    assert!(
        wsgi.contains("init_app(model_class=Mood)") && !wsgi.contains("NewModel"),
        "{wsgi}"
    );
    assert!(read(&folder, "test_api.py").contains("from classifier import Mood\n"));
    assert_eq!(read(&folder, "requirements.txt"), "numpy");
    assert_eq!(read(&folder, "classifier.py"), "class Mood: ...");
    assert!(read(&folder, "docker-compose.yml").contains("\n  my-backend:\n"));
    assert!(read(&folder, "README.md").contains("`classifier.py`"));

    fs::write(folder.join("notes"), "old").unwrap();
    check(root.path(), &["My Backend", "--from", &spec], 1, "--force");
    check(
        root.path(),
        &["My Backend", "--from", &spec, "--force"],
        0,
        "",
    );
    assert!(!folder.join("notes").exists());
}

#[test]
fn names_the_reason_when_a_python_script_cannot_be_wrapped() {
    let root = TempDir::new().unwrap();
    fs::write(root.path().join("my-model.py"), "").unwrap();
    for (script, language, reason) in [
        ("nowhere.py:Mood", "python", "there is no script"),
        ("my-model.py:Mood", "python", "rename the file"),
        ("my-model.py", "python", "my-model.py:MyModel"),
        (
            "my-model.py:Mood",
            "rust",
            "--script is for a model in Python",
        ),
    ] {
        let script = format!("{}/{script}", root.path().display());
        let args = ["mood", "--script", &script, "--language", language];
        check(root.path(), &args, 1, reason);
    }
    assert_eq!(entries(root.path()), ["my-model.py"]);
}

#[test]
fn writes_the_python_template_when_asked() {
    let root = TempDir::new().unwrap();
    check(root.path(), &["mood", "--language", "python"], 0, "");
    assert!(read(root.path(), "mood/model.py").contains("class NewModel(LabelStudioMLBase)"));
    assert!(read(root.path(), "mood/test_api.py").contains("from model import NewModel"));
    assert!(read(root.path(), "mood/README.md").starts_with("# mood\n"));
}
