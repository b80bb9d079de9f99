//! Trainings from the first to the last epoch.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use label_studio_training::{
    Checkpoint, Example, Network, Outcome, Task, Tokens, Training, TrainingError, TrainingOptions,
    Workspace,
};

const TASK: Task = Task::SequenceClassification;

fn checkpoint() -> Checkpoint {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    Checkpoint::in_folder(&fixtures.join("bert-sequence")).unwrap()
}

fn network() -> Network {
    Network::load(&checkpoint(), TASK).unwrap()
}

/// Texts whose label is the one of their second token.
fn examples(n: u32) -> Vec<Example> {
    let example = |idx: u32| {
        let ids = vec![2, 10 + idx % 3, 20 + idx % 17, 3];
        Example {
            ids,
            labels: vec![Some(idx as usize % 3)],
        }
    };
    (0..n).map(example).collect()
}

fn accuracy(examples: &[Example], predicted: &[Vec<usize>], _labels: &[String]) -> f64 {
    let pairs = examples.iter().zip(predicted);
    let n_right = pairs
        .filter(|(example, found)| example.labels[0] == Some(found[0]))
        .count();
    f64::from(u32::try_from(n_right).unwrap()) / f64::from(u32::try_from(examples.len()).unwrap())
}

fn training(state: Option<&Path>) -> Training {
    let mut examples = examples(40);
    let held_out = examples.split_off(30);
    Training {
        examples,
        held_out,
        score: accuracy,
        options: TrainingOptions {
            learning_rate: 5e-3,
            n_epochs: 6,
            ..TrainingOptions::default()
        },
        state: state.map(|path| (path.join("state.safetensors"), "bert".to_owned())),
    }
}

fn norms(outcome: &Outcome) -> Vec<f64> {
    outcome.network.norms().map(|(_, norm)| norm).collect()
}

/// Runs until so many steps are done, as if the process were killed there.
fn run_until(training: Training, last: usize) -> Result<Outcome, TrainingError> {
    training.run(network(), &mut |progress| {
        if progress.step > last {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
}

#[test]
fn a_training_learns_keeps_the_best_epoch_and_says_how_far_it_is() {
    let mut steps = Vec::new();
    let mut n_epochs = 0;
    let outcome = training(None)
        .run(network(), &mut |progress| {
            steps.push((progress.step, progress.n_steps));
            n_epochs += usize::from(progress.epoch.is_some());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(steps, (1..=24).map(|step| (step, 24)).collect::<Vec<_>>());
    assert_eq!((n_epochs, outcome.epochs.len()), (6, 6));
    let scores: Vec<_> = outcome
        .epochs
        .iter()
        .filter_map(|epoch| epoch.held_out_score)
        .collect();
    let best = scores.iter().copied().fold(0.0, f64::max);
    assert!(best > 0.95, "{scores:?}");
    assert!(scores[outcome.best] >= best, "{scores:?}");
    assert!(outcome.epochs[5].loss < outcome.epochs[0].loss);
}

#[test]
fn a_training_that_was_cut_short_goes_on_and_comes_to_the_same() {
    let whole = training(None)
        .run(network(), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = run_until(training(Some(folder.path())), 10).unwrap_err();
    assert!(matches!(error, TrainingError::Cancelled));
    let mut first = None;
    let resumed = training(Some(folder.path()))
        .run(network(), &mut |progress| {
            first.get_or_insert(progress.step);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(
        (resumed.was_resumed, first),
        (true, Some(9)),
        "two epochs are not repeated"
    );
    assert_eq!(resumed.epochs, whole.epochs);
    assert_eq!(norms(&resumed), norms(&whole));
    let left: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_state_of_another_training_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    run_until(training(Some(folder.path())), 10).unwrap_err();
    let mut other = training(Some(folder.path()));
    other.examples.pop();
    let outcome = other
        .run(network(), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert!(!outcome.was_resumed);
}

#[test]
fn a_training_ends_when_nothing_gets_better() {
    let mut patient = training(None);
    patient.options.learning_rate = 0.0;
    patient.options.patience = Some(2);
    let outcome = patient
        .run(network(), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!((outcome.epochs.len(), outcome.best), (3, 0));
    let mut nothing = training(None);
    nothing.examples.clear();
    let error = nothing
        .run(network(), &mut |_| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(matches!(error, TrainingError::NoExamples));
}

/// The folder stays, for a look at it with Python's `transformers`.
#[test]
fn what_was_trained_is_what_is_written() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trained");
    std::fs::create_dir_all(&folder).unwrap();
    let outcome = training(None)
        .run(network(), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    outcome.network.save(&folder, &checkpoint()).unwrap();
    let again = Network::load(&Checkpoint::in_folder(&folder).unwrap(), TASK).unwrap();
    let logits = |network: &Network| {
        let text = Tokens {
            ids: &[2, 11, 25, 3],
            type_ids: &[],
        };
        network
            .logits(&[text], &mut Workspace::default())
            .unwrap()
            .to_vec()
    };
    let written = logits(&outcome.network);
    assert_eq!(logits(&again), written);
    std::fs::write(folder.join("logits.txt"), format!("{written:?}\n")).unwrap();
}
