"""A network that learns ranges of uploaded time series, with Start Training: its learning curve."""

import random
from typing import Any

from e2e.checks import check, equal
from e2e.process import wait_until
from e2e.project import Project
from e2e.stage import Stage

LABEL_CONFIG = """
<View>
  <TimeSeriesLabels name="label" toName="ts"><Label value="Run"/><Label value="Walk"/></TimeSeriesLabels>
  <TimeSeries name="ts" valueType="url" value="$csv_url" timeColumn="time">
    <Channel column="speed"/>
    <Channel column="noise"/>
  </TimeSeries>
</View>
"""
SPEEDS = {"Run": 12.0, "Walk": 5.0}
N_ROWS = 300
# Seconds between two rows.
STEP = 2
N_SERIES = 16
# Annotated tasks before each training; the tasks behind the last of them are new to the model.
CURVE = (3, 12)
TRAINING_SECONDS = 180
ENVIRONMENT = {
    "SEQUENCE_SIZE": "20",
    "HIDDEN_SIZE": "16",
    "TRAIN_EPOCHS": "60",
    "START_TRAINING_EACH_N_UPDATES": "100000",
}
# First and last time of a range, and its label.
Range = tuple[int, int, str]


def time_series(stage: Stage) -> None:
    """Teaches `timeseries_segmenter` which speeds are running and walking."""
    with stage.step("time series are uploaded as CSV files"):
        project = stage.project(LABEL_CONFIG)
        series = [invented_series(number) for number in range(N_SERIES)]
        files = {f"series-{number:02}.csv": csv for number, (csv, _) in enumerate(series)}
        uploaded = project.upload_as_tasks(files)
        # The name of an upload begins with random characters.
        tasks = sorted(uploaded, key=lambda task: str(task["data"]).rpartition("series-")[2])
        equal(len(tasks), N_SERIES, "tasks")

    with stage.step("an untrained backend connects and finds nothing"):
        backend = stage.backend("timeseries_segmenter", ENVIRONMENT)
        recorder = stage.recorder(backend)
        project.connect(recorder.url)
        curve = [(0, f1_of_new_tasks(project, tasks, series))]

    annotated = 0
    for n_annotated in CURVE:
        with stage.step(
            f"{n_annotated} tasks are annotated, then Start Training", TRAINING_SECONDS
        ):
            for task, (_, ranges) in list(zip(tasks, series, strict=True))[annotated:n_annotated]:
                stage.client.annotate(task["id"], [region(own) for own in ranges])
            annotated = n_annotated
            version = train(project)
            curve.append((n_annotated, f1_of_new_tasks(project, tasks, series)))

    print(f"      F1 of the ranges in new tasks, by annotated tasks: {curve}", flush=True)
    with stage.step("the ranges of new tasks are found"):
        check(curve[-1][1] >= 0.9, f"F1 by annotated tasks: {curve}")

    with stage.step("what was learnt outlives a restart"):
        equal(backend.restart(), 0, "exit status after SIGTERM")
        equal(project.model_version(), version, "model version")
        equal(f1_of_new_tasks(project, tasks, series), curve[-1][1], "F1")
        equal(backend.stop(), 0, "exit status after SIGTERM")


def train(project: Project) -> str:
    """Presses Start Training, and returns the version of the model that comes out."""
    last = project.model_version()
    project.train()
    wait_until(lambda: project.model_version() != last, TRAINING_SECONDS, f"{last} is replaced")
    return project.model_version()


def invented_series(number: int) -> tuple[str, list[Range]]:
    """A CSV file and its ranges."""
    chance = random.Random(number)
    ranges: list[Range] = []
    speeds = [0.0] * N_ROWS
    row = chance.randint(5, 30)
    while row < N_ROWS - 60:
        label = chance.choice(sorted(SPEEDS))
        length = chance.randint(20, 50)
        ranges.append((row * STEP, (row + length - 1) * STEP, label))
        speeds[row : row + length] = [SPEEDS[label]] * length
        row += length + chance.randint(15, 40)
    lines = [
        f"{place * STEP},{speed + chance.gauss(0, 1):.3f},{chance.gauss(0, 1):.3f}"
        for place, speed in enumerate(speeds)
    ]
    return "\n".join(["time,speed,noise", *lines, ""]), ranges


def region(own: Range) -> dict[str, Any]:
    """The region of an annotation."""
    start, end, label = own
    return {
        "from_name": "label",
        "to_name": "ts",
        "type": "timeserieslabels",
        "value": {"start": start, "end": end, "instant": False, "timeserieslabels": [label]},
    }


def f1_of_new_tasks(
    project: Project, tasks: list[dict[str, Any]], series: list[tuple[str, list[Range]]]
) -> float:
    """F1 of the predicted ranges of tasks that are never annotated. A range is right when it has its
    label, and an intersection over union of 0.5 with one that no other is matched with.
    """
    new = list(zip(tasks, series, strict=True))[CURVE[-1] :]
    project.client.retrieve_predictions(project.id, [task["id"] for task, _ in new])
    n_right = n_known = n_predicted = 0
    for task, (_, known) in new:
        predicted = [
            (value["start"], value["end"], value["timeserieslabels"][0])
            for value in (one["value"] for one in project.predicted(task["id"])[-1]["result"])
        ]
        left = list(known)
        for own in predicted:
            match = next(
                (other for other in left if own[2] == other[2] and overlaps(own, other)), None
            )
            if match:
                left.remove(match)
        n_right += len(known) - len(left)
        n_known += len(known)
        n_predicted += len(predicted)
    return round(2 * n_right / (n_known + n_predicted), 3)


def overlaps(one: Range, other: Range) -> bool:
    """Whether two ranges have an intersection over union of 0.5."""
    shared = min(one[1], other[1]) - max(one[0], other[0]) + STEP
    whole = max(one[1], other[1]) - min(one[0], other[0]) + STEP
    return shared >= 0.5 * whole
