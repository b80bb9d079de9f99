//! Programs within limits. `sh` plays the programs.

use std::{
    error::Error as _,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    time::Duration,
};

use label_studio_inference::program::{Program, ProgramError, ProgramLimits};

const SOON: Duration = Duration::from_millis(300);
/// Longer than a test may take.
const LATE: Duration = Duration::from_secs(600);

fn shell() -> Program<'static> {
    Program {
        path: Path::new("sh"),
        setting: "SHELL_CMD",
    }
}

fn run(script: &str, input: &[u8], limits: ProgramLimits) -> Result<Vec<u8>, ProgramError> {
    shell().output(["-c", script], input.to_vec(), limits)
}

fn within(time: Duration) -> ProgramLimits {
    ProgramLimits {
        time,
        ..ProgramLimits::default()
    }
}

#[test]
fn more_than_a_pipe_holds_goes_in_and_out() {
    let input: Vec<u8> = (0..3 << 20).map(|n: u32| n.to_le_bytes()[0]).collect();
    let script = "head -c 1000000 /dev/zero >&2; cat";
    let output = run(script, &input, ProgramLimits::default()).unwrap();
    assert!(output == input, "{} of {} bytes", output.len(), input.len());
}

#[test]
fn a_program_need_not_read_its_input() {
    let output = run("echo done", &vec![0; 1 << 20], ProgramLimits::default());
    assert_eq!(output.unwrap(), b"done\n");
}

#[test]
fn a_missing_program_is_named_with_the_setting_that_finds_it() {
    let missing = Program {
        path: Path::new("no-such-program"),
        setting: "FFMPEG_CMD",
    };
    let error = missing.version("-version").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot run no-such-program: install it, or say where it is with FFMPEG_CMD"
    );
    assert!(error.source().is_some(), "the system's error is kept");
}

#[test]
fn a_version_is_the_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    fs::write(&path, "echo program 1.2; echo built with care").unwrap();
    let version = shell().version(path.to_str().unwrap()).unwrap();
    assert_eq!(version, "program 1.2");
}

#[test]
fn a_failure_shows_the_start_of_what_the_program_complained_about() {
    let script = "echo half; echo no such codec >&2; head -c 10000 /dev/zero >&2; exit 3";
    let error = run(script, b"", ProgramLimits::default()).unwrap_err();
    let text = error.to_string();
    let start = "sh failed with exit status: 3: no such codec";
    assert!(text.starts_with(start) && text.len() < 400, "{text}");
}

#[test]
fn a_program_that_hangs_is_killed_with_the_processes_that_it_started() {
    for script in [
        "exec tail -f /dev/null",
        // The program itself ends; what it started holds the output open.
        "tail -f /dev/null & exit 0",
        "exec > /dev/null; exec tail -f /dev/null",
    ] {
        let error = run(script, b"", within(SOON)).unwrap_err();
        let is_timeout = matches!(error, ProgramError::Timeout { .. });
        assert!(is_timeout, "{script}: {error}");
    }
}

#[test]
fn output_beyond_the_limit_is_an_error_and_ends_the_program() {
    let limits = ProgramLimits {
        time: LATE,
        bytes: 1000,
    };
    let error = run("exec cat /dev/zero", b"", limits).unwrap_err();
    assert_eq!(error.to_string(), "sh printed more than 1000 bytes");
    assert_eq!(run("printf %1000s", b"", limits).unwrap().len(), 1000);
}

#[test]
fn text_beyond_the_limit_is_left_out() {
    let limits = ProgramLimits {
        bytes: 4,
        ..within(LATE)
    };
    let text = |script| shell().text(["-c", script], Vec::new(), limits);
    assert_eq!(
        text("echo one two; head -c 1000000 /dev/zero").unwrap(),
        "one "
    );
    let failed = text("echo one two; exit 1").unwrap_err();
    assert!(matches!(failed, ProgramError::Failed { .. }), "{failed}");
}

#[test]
fn a_stream_gives_its_output_before_the_program_ends() {
    let script = "echo first; read line; echo $line";
    let mut stream = shell()
        .stream(["-c", script], b"second\n".to_vec(), LATE)
        .unwrap();
    let mut first = [0; 6];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first\n");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "second\n");
}

#[test]
fn the_end_of_a_stream_says_that_the_program_failed() {
    let mut stream = shell()
        .stream(["-c", "echo half; exit 1"], Vec::new(), LATE)
        .unwrap();
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    let error = error.downcast::<ProgramError>().unwrap();
    assert!(matches!(error, ProgramError::Failed { .. }), "{error}");
}

#[test]
fn dropping_a_stream_ends_the_program() {
    let script = "echo $$; exec tail -f /dev/null";
    let stream = shell().stream(["-c", script], Vec::new(), LATE).unwrap();
    let mut lines = BufReader::new(stream).lines();
    let process = Path::new("/proc").join(lines.next().unwrap().unwrap());
    assert!(process.exists(), "{} runs", process.display());
    drop(lines);
    assert!(!process.exists(), "{} runs still", process.display());
}
