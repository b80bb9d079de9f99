//! Images of tasks go through models in batches, and each task gets one result.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    fs,
    path::PathBuf,
    sync::Arc,
};

use anyhow::{anyhow, bail, ensure};
use image::{Rgb, RgbImage};
use label_studio_sdk::{LabelConfig, Object, Task};
use label_studio_vision::{
    batches::{BatchModel, ImageBatches, ImagesOfTasks, in_batches, in_parallel, run},
    images::ImageArgs,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const ONE_IMAGE: &str = r#"<View><Image name="image" value="$image"/></View>"#;
const SEVERAL_IMAGES: &str = r#"<View><Image name="image" valueList="$image"/></View>"#;

/// Answers with the red of an image's first pixel, and refuses what it is told to refuse.
#[derive(Default)]
struct Redness {
    refuses: HashSet<u8>,
    max_inputs: Option<usize>,
    /// Reds of the inputs of each run.
    runs: RefCell<Vec<Vec<u8>>>,
}

struct Input {
    red: u8,
    size: (u32, u32),
}

impl BatchModel for Redness {
    type Input = Input;
    type Output = u8;

    fn prepare(&self, image: &RgbImage) -> anyhow::Result<Input> {
        Ok(Input {
            red: image.get_pixel(0, 0).0[0],
            size: image.dimensions(),
        })
    }

    fn input_size(&self, input: &Input) -> (u32, u32) {
        input.size
    }

    fn max_inputs(&self) -> Option<usize> {
        self.max_inputs
    }

    fn run(&self, inputs: &[&Input]) -> anyhow::Result<Vec<u8>> {
        let reds: Vec<_> = inputs.iter().map(|input| input.red).collect();
        self.runs.borrow_mut().push(reds.clone());
        ensure!(
            inputs.iter().all(|input| input.size == inputs[0].size),
            "sizes are mixed"
        );
        match reds.iter().find(|red| self.refuses.contains(red)) {
            Some(red) => bail!("the model cannot stand {red}"),
            None => Ok(reds),
        }
    }
}

fn inputs(reds: &[u8]) -> Vec<Input> {
    let size = (4, 4);
    reds.iter().map(|&red| Input { red, size }).collect()
}

fn texts(results: Vec<anyhow::Result<u8>>) -> Vec<String> {
    let text = |result: anyhow::Result<u8>| match result {
        Ok(red) => red.to_string(),
        Err(error) => error.to_string(),
    };
    results.into_iter().map(text).collect()
}

#[test]
fn inputs_of_one_size_run_together_and_outputs_keep_their_order() {
    let model = Redness::default();
    let mut inputs = inputs(&[1, 2, 3, 4]);
    inputs[1].size = (9, 9);
    inputs[3].size = (9, 9);
    assert_eq!(texts(run(&model, &inputs)), ["1", "2", "3", "4"]);
    assert_eq!(*model.runs.borrow(), [vec![1, 3], vec![2, 4]]);
}

#[test]
fn a_model_gets_no_more_inputs_than_its_file_takes() {
    let model = Redness {
        max_inputs: Some(2),
        ..Redness::default()
    };
    run(&model, &inputs(&[1, 2, 3]));
    assert_eq!(*model.runs.borrow(), [vec![1, 2], vec![3]]);
}

#[test]
fn an_input_that_breaks_a_batch_costs_no_other_its_output() {
    let model = Redness {
        refuses: [2].into(),
        ..Redness::default()
    };
    let outputs = texts(run(&model, &inputs(&[1, 2, 3])));
    assert_eq!(outputs, ["1", "the model cannot stand 2", "3"]);
}

#[test]
fn a_model_that_loses_an_output_is_an_error_and_no_shift() {
    struct Forgetful;
    impl BatchModel for Forgetful {
        type Input = u8;
        type Output = u8;
        fn prepare(&self, _: &RgbImage) -> anyhow::Result<u8> {
            Ok(0)
        }
        fn input_size(&self, _: &u8) -> (u32, u32) {
            (1, 1)
        }
        fn run(&self, inputs: &[&u8]) -> anyhow::Result<Vec<u8>> {
            Ok(inputs.iter().skip(1).map(|input| **input).collect())
        }
    }
    let outputs = texts(run(&Forgetful, &[1, 2]));
    let expected = "the model returned 0 outputs for 1 images";
    assert_eq!(outputs, [expected, expected]);
}

#[test]
fn a_stream_holds_the_inputs_of_one_batch() {
    let model = Redness::default();
    let (n_made, max_ahead) = (Cell::new(0), Cell::new(0));
    let n_yielded = Cell::new(0);
    let frames = (1..=5_u8).map(|red| {
        n_made.set(n_made.get() + 1);
        max_ahead.set(max_ahead.get().max(n_made.get() - n_yielded.get()));
        match red {
            2 => Err(anyhow!("frame 2 is broken")),
            red => Ok((red, inputs(&[red]))),
        }
    });
    let mut seen = Vec::new();
    for output in in_batches(std::slice::from_ref(&model), 2, frames) {
        n_yielded.set(n_yielded.get() + 1);
        seen.push(match output {
            Ok((frame, outputs)) => (frame, outputs.unwrap()),
            Err(error) => {
                assert_eq!(error.to_string(), "frame 2 is broken");
                (0, Vec::new())
            }
        });
    }
    let expected = [
        (1, vec![1]),
        (0, vec![]),
        (3, vec![3]),
        (4, vec![4]),
        (5, vec![5]),
    ];
    assert_eq!(seen, expected);
    assert_eq!(*model.runs.borrow(), [vec![1, 3], vec![4, 5]]);
    assert_eq!(
        max_ahead.get(),
        3,
        "two good frames and the broken one between them"
    );
}

#[test]
fn an_input_that_one_model_refuses_does_not_shift_the_outputs_of_another() {
    let refusing = Redness {
        refuses: [1].into(),
        ..Redness::default()
    };
    let models = [refusing, Redness::default()];
    let frames = [1, 2, 3].map(|red| Ok::<_, ()>((red, inputs(&[red, red]))));
    let outputs = in_batches(&models, 8, frames.into_iter()).map(|output| output.unwrap());
    let mut outputs: Vec<_> = outputs.collect();
    let first = outputs.remove(0).1.unwrap_err();
    assert_eq!(first.to_string(), "the model cannot stand 1");
    let others = outputs
        .into_iter()
        .map(|(red, found)| (red, found.unwrap()));
    assert_eq!(
        others.collect::<Vec<_>>(),
        [(2, vec![2, 2]), (3, vec![3, 3])]
    );
}

/// Reds of the images of a task, with their positions in its list.
type Reds = Vec<(Option<usize>, u8)>;

/// Images in a folder, each a square with its number in the name and in the red of its pixels.
struct Folder(TempDir);

impl Folder {
    fn with_images(sides: &[u32]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (red, &side) in (0..).zip(sides) {
            let image = RgbImage::from_pixel(side, side, Rgb([red, 0, 0]));
            image
                .save(folder.path().join(format!("{red}.png")))
                .unwrap();
        }
        Self(folder)
    }

    /// Labels tasks with the reds of their images, and returns the files that were asked for, too.
    fn predict(
        &self,
        batches: &ImageBatches,
        models: &[Redness],
        label_config: &str,
        tasks: &[Value],
    ) -> (Vec<anyhow::Result<Reds>>, Vec<String>) {
        let label_config = LabelConfig::parse(label_config).unwrap();
        let object: &Object = &label_config.objects()[0];
        let tasks = tasks
            .iter()
            .map(|image| json!({ "data": { "image": image } }));
        let tasks: Vec<Task> = tasks
            .map(|task| serde_json::from_value(task).unwrap())
            .collect();
        let asked = RefCell::new(Vec::new());
        let local_path = |_: &Task, url: &str| -> anyhow::Result<PathBuf> {
            asked.borrow_mut().push(url.to_owned());
            Ok(self.0.path().join(url))
        };
        let images = ImagesOfTasks {
            object,
            tasks: &tasks,
            local_path: &local_path,
        };
        let results = batches.predict(models, images, |image, outputs| {
            let [red] = outputs[..] else {
                bail!("one model")
            };
            Ok((image.item_idx, red))
        });
        (results, asked.into_inner())
    }
}

fn batches_of(batch_size: usize) -> ImageBatches {
    ImageBatches {
        reader: Arc::new(ImageArgs::default().reader()),
        batch_size,
    }
}

#[test]
fn each_task_gets_the_outputs_of_its_images() {
    let folder = Folder::with_images(&[4, 4, 6, 4]);
    let models = [Redness::default()];
    let tasks = [
        json!(["0.png", "1.png"]),
        json!([]),
        json!(["2.png"]),
        json!(["3.png"]),
    ];
    let (results, _) = folder.predict(&batches_of(3), &models, SEVERAL_IMAGES, &tasks);
    let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
    let expected = [
        vec![(Some(0), 0), (Some(1), 1)],
        vec![],
        vec![(Some(0), 2)],
        vec![(Some(0), 3)],
    ];
    assert_eq!(results, expected);
    assert_eq!(*models[0].runs.borrow(), [vec![0, 1], vec![2], vec![3]]);
}

#[test]
fn one_image_at_a_time_is_decoded() {
    let folder = Folder::with_images(&[40; 6]);
    let batches = batches_of(6);
    let tasks: Vec<_> = (0..6).map(|red| json!(format!("{red}.png"))).collect();
    folder.predict(&batches, &[Redness::default()], ONE_IMAGE, &tasks);
    assert_eq!(batches.reader.budget.most_pixels(), 40 * 40);
}

#[test]
fn an_image_that_cannot_be_used_costs_its_task_only() {
    let folder = Folder::with_images(&[4, 4, 4]);
    fs::write(folder.0.path().join("page.png"), "<html>").unwrap();
    let tasks = [
        json!("0.png"),
        json!("page.png"),
        json!(null),
        json!("gone.png"),
        json!("2.png"),
    ];
    let (results, _) = folder.predict(&batches_of(8), &[Redness::default()], ONE_IMAGE, &tasks);
    let shown: Vec<_> = results
        .iter()
        .map(|result| match result {
            Ok(reds) => format!("{reds:?}"),
            Err(error) => format!("{error:#}"),
        })
        .collect();
    assert_eq!(shown[0], "[(None, 0)]");
    assert!(shown[1].contains("web page"), "{}", shown[1]);
    assert!(shown[2].contains("'image'"), "{}", shown[2]);
    assert!(shown[3].contains("gone.png"), "{}", shown[3]);
    assert_eq!(shown[4], "[(None, 2)]");
}

#[test]
fn images_after_a_bad_one_of_the_same_task_are_not_fetched() {
    let folder = Folder::with_images(&[4, 4]);
    let tasks = [json!(["0.png", "gone.png", "1.png"])];
    let models = [Redness::default()];
    let (results, asked) = folder.predict(&batches_of(8), &models, SEVERAL_IMAGES, &tasks);
    assert!(results[0].is_err());
    assert_eq!(asked, ["0.png", "gone.png"]);
}

#[test]
fn results_of_several_threads_are_in_the_order_of_the_items() {
    let items: Vec<u32> = (0..100).collect();
    for n_threads in [0, 1, 3, 200] {
        let squares = in_parallel(n_threads, &items, |item| item * item);
        assert!((0..100).map(|item| item * item).eq(squares), "{n_threads}");
    }
    assert_eq!(in_parallel(4, &[], |item: &u32| *item), Vec::<u32>::new());
}

#[test]
fn a_panic_on_one_of_several_threads_reaches_the_caller() {
    let panicked = std::panic::catch_unwind(|| {
        in_parallel(2, &[1, 2, 3], |item| assert_ne!(*item, 2));
    });
    assert!(panicked.is_err());
}
