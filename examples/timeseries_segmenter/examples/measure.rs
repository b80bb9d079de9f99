//! Measures time and memory: `measure predict ROWS` reads a CSV file of so many rows and two channels
//! and runs a network of the default sizes over it; `measure train STEPS` makes steps of a training,
//! which `measure.py` makes with PyTorch.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    time::Instant,
};

use label_studio_ml::{
    LabelConfig, Project, ProjectId, Resources, Task,
    anyhow::{self, Context, bail},
    json,
    sdk::{MediaFetcher, MediaOptions},
    store::MemoryStore,
};
use label_studio_training::{
    TrainingOptions, WeightDecay,
    series::{
        SeriesDropouts, SeriesExample, SeriesInference, SeriesNetwork, SeriesSizes, SeriesStepper,
    },
};
use tempfile::tempdir;
use timeseries_segmenter::{Predictor, Scaling, Tags, reading::read_task};

const CONFIG: &str = r#"<View><TimeSeriesLabels name="label" toName="ts"><Label value="Run"/><Label value="Walk"/>
  </TimeSeriesLabels><TimeSeries name="ts" value="$ts" timeColumn="time"><Channel column="a"/><Channel column="b"/>
  </TimeSeries></View>"#;
const WINDOW: usize = 50;
const BATCH_SIZE: usize = 16;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["predict", n_rows] => predict(n_rows.parse()?),
        ["train", n_steps] => train(n_steps.parse()?),
        _ => bail!("usage: measure predict ROWS, or measure train STEPS"),
    }
}

fn network() -> anyhow::Result<SeriesNetwork> {
    let dropouts = SeriesDropouts {
        input: 0.3,
        recurrent: 0.3,
        output: 0.3,
    };
    let sizes = SeriesSizes {
        n_channels: 2,
        n_classes: 3,
        width: 128,
        n_hidden: 64,
        n_layers: 2,
        dropouts,
    };
    Ok(SeriesNetwork::new(sizes, 1)?)
}

fn predict(n_rows: u32) -> anyhow::Result<()> {
    let folder = tempdir()?;
    let mut file = BufWriter::new(File::create(folder.path().join("series.csv"))?);
    writeln!(file, "time,a,b")?;
    for row in 0..n_rows {
        let noise = f64::from(row.wrapping_mul(2_654_435_761) >> 12) / 524_288.0 - 1.0;
        writeln!(
            file,
            "{},{noise:.5},{:.5}",
            u64::from(row) * 1_000_000,
            -noise
        )?;
    }
    file.into_inner()?;
    let options = MediaOptions {
        document_root: Some(folder.path().to_owned()),
        ..MediaOptions::new(folder.path().join("cache"))
    };
    let resources = Resources {
        media: Some(MediaFetcher::new(None, options)?),
        ..Resources::new(MemoryStore::default())
    };
    let label_config = LabelConfig::parse(CONFIG)?.into();
    let project = Project::new(ProjectId::parse("1"), label_config, resources.into());
    let task = json!({ "id": 1, "data": { "ts": "/data/local-files/?d=series.csv" } });
    let task = Task::from_value(&task)?;
    let tags = Tags::find(project.label_config())?;
    let channels = tags.channels();

    let start = Instant::now();
    let facts = read_task((&project, &task), &tags, &channels, &mut |_| Ok(()))?;
    report("read", facts.n_rows, start)?;
    let (inference, scaling) = (SeriesInference::new(network()?), Scaling::identity(2));
    // Of a network that was never trained only the background is wanted.
    let wanted = [true, false, false];
    let mut predictor = Predictor::new(&inference, &scaling, &wanted, WINDOW);
    let start = Instant::now();
    let facts = read_task((&project, &task), &tags, &channels, &mut |row| {
        predictor.push(row.time, row.values)
    })?;
    predictor.finish()?;
    report("read and predicted", facts.n_rows, start)
}

fn train(n_steps: u32) -> anyhow::Result<()> {
    let options = TrainingOptions {
        weight_decay: 1e-5,
        weight_decay_kind: WeightDecay::Penalty,
        ..TrainingOptions::default()
    };
    let mut stepper = SeriesStepper::new(network()?, vec![1.0; 3], options);
    let value = |idx: usize| f32::from(u8::try_from(idx * 7919 % 251).unwrap_or(0)) / 125.0 - 1.0;
    let example = |number: usize| SeriesExample {
        rows: (0..2 * WINDOW).map(|idx| value(idx + number)).collect(),
        classes: (0..WINDOW)
            .map(|row| u16::try_from((row + number) / 20 % 3).ok())
            .collect(),
    };
    let examples: Vec<_> = (0..BATCH_SIZE).map(example).collect();
    let batch: Vec<_> = examples.iter().collect();
    let start = Instant::now();
    for _ in 0..n_steps {
        stepper.add_batch(&batch, 1)?;
        stepper.step(1e-3)?;
    }
    report("steps", n_steps.into(), start)
}

/// Prints how long something took, and the most memory that the process has had so far.
#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn report(what: &str, n: u64, start: Instant) -> anyhow::Result<()> {
    let seconds = start.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak
        .context("the memory can be measured on Linux only")?
        .trim();
    println!("{what}: {n} in {seconds:.2} s, most memory {peak}");
    Ok(())
}
