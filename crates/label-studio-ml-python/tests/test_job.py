"""The job that `fit` runs as."""

from __future__ import annotations

import copy
import os
import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import LABEL_CONFIG, ClientOf
from test_workers import Backend, Reply

from label_studio_ml._internal import calls, jobs
from label_studio_ml.job import Job
from label_studio_ml.model import LabelStudioMLBase

EVENT = b'{"action": "START_TRAINING", "project": {"id": 1, "label_config": "<View/>"}}'


class Link:
    """Records what a job sends."""

    def __init__(self) -> None:
        self.news: list[Any] = []
        self.cancelled = False

    def progress(self, fraction: float, message: str) -> None:
        self.news.append((fraction, message))

    def log(self, line: str) -> None:
        self.news.append(line)

    def is_cancelled(self) -> bool:
        return self.cancelled


def train(fit: Callable[..., Any], link: Link) -> tuple[int, bytes]:
    """Trains a model as a worker does."""
    model_class = type("M", (LabelStudioMLBase,), {"fit": fit})
    return calls.answer(model_class, "/webhook", EVENT, "1", link)


def test_a_training_reports_to_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    link = Link()
    kept = []

    def fit(self: Any, event: str, data: dict[str, Any], **kwargs: Any) -> None:
        kept.append(self.job)
        self.job.progress(0.5, "half")
        thread = threading.Thread(target=lambda: self.job.log("from another thread"))
        thread.start()
        thread.join()
        assert not self.job.is_cancelled()
        link.cancelled = True
        assert self.job.is_cancelled()

    assert train(fit, link)[0] == 201
    assert link.news == [(0.5, "half"), "from another thread"]
    # After its end it says nothing more, and remembers.
    kept[0].log("late")
    assert len(link.news) == 2 and kept[0].is_cancelled()


def test_a_job_that_is_none_takes_everything(client_of: ClientOf) -> None:
    seen = []

    def fit(self: Any, event: str, data: dict[str, Any], **kwargs: Any) -> Any:
        seen.append(self.job)
        self.job.progress(0.5)
        self.job.log("a line")
        return list(self.job.tqdm([1, 2])) + [self.job.is_cancelled()]

    client = client_of(type("M", (LabelStudioMLBase,), {"fit": fit}))
    answer = client.post("/webhook", data=EVENT, content_type="application/json")
    assert answer.json["result"] == [1, 2, False]
    assert type(seen[0]) is Job


def test_a_model_may_have_an_attribute_of_that_name() -> None:
    class Mine(LabelStudioMLBase):
        def setup(self) -> None:
            self.job = "mine"  # type: ignore[assignment]

    mine: Any = Mine(label_config=LABEL_CONFIG)
    assert mine.job == "mine"
    theirs = type("M", (LabelStudioMLBase,), {"job": "theirs"})(label_config=LABEL_CONFIG)
    assert theirs.job == "theirs"


def test_a_model_can_be_copied_while_it_trains() -> None:
    def fit(self: Any, event: str, data: dict[str, Any], **kwargs: Any) -> Any:
        assert isinstance(self.job, jobs.ServerJob)
        copies = [copy.deepcopy(self.job), pickle.loads(pickle.dumps(self.job))]
        return [type(job) is Job for job in copies]

    link = Link()
    assert b"[true,true]" in train(fit, link)[1]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_a_training_prints_is_in_its_log(
    capfd: pytest.CaptureFixture[str], stream: str
) -> None:
    link = Link()
    original = getattr(sys, stream).write

    def fit(self: Any, event: str, data: dict[str, Any], **kwargs: Any) -> None:
        file = getattr(sys, stream)
        print("first\nsecond", file=file)
        for percent in (1, 50, 100):
            print(f"\r{percent} %", end="", file=file)
        print(file=file)
        other = threading.Thread(target=lambda: print("of another thread", file=file))
        other.start()
        other.join()
        print("no end", end="", file=file)

    jobs.log_what_is_printed()
    jobs.log_what_is_printed()
    try:
        train(fit, link)
        print("after it", file=getattr(sys, stream))
    finally:
        for name in ("stdout", "stderr"):
            getattr(sys, name).__dict__.pop("write", None)
    assert getattr(sys, stream).write.__name__ == original.__name__
    # A print is written in one piece or in two.
    assert "\n".join(link.news) == "first\nsecond\n100 %\nno end"
    assert "after it" in getattr(capfd.readouterr(), stream[3:])


def test_a_fork_of_a_training_sends_nothing() -> None:
    link = Link()

    def fit(self: Any, event: str, data: dict[str, Any], **kwargs: Any) -> Any:
        process = os.fork()
        if process == 0:
            self.job.log("from the fork")
            self.job.progress(1)
            os._exit(len(link.news) + int(self.job.is_cancelled()))
        return os.waitpid(process, 0)[1]

    assert b'"result":0' in train(fit, link)[1]


def test_a_progress_bar_is_used_like_one_of_tqdm() -> None:
    link = Link()

    def fit(self: Any, event: str, data: dict[str, Any], **kwargs: Any) -> None:
        bar = self.job.tqdm(range(4), desc="epochs", unit="epoch", leave=False)
        for epoch in bar:
            bar.set_postfix(loss=1 / (epoch + 3))
        bar.write("a line")
        with self.job.tqdm(total=8, desc="tasks") as manual:
            manual.update(2)
            manual.set_description("more")
        for _ in self.job.tqdm(iter("ab")):
            pass

    train(fit, link)
    messages = [news[1] if isinstance(news, tuple) else news for news in link.news]
    assert messages[0] == "epochs 0/4"
    assert messages[messages.index("a line") - 1] == "epochs 4/4 loss=0.1667"
    assert (0.25, "more 2/8") in link.news
    assert messages[-1] == "2"
    assert all(0 <= news[0] <= 1 for news in link.news[:5])


MODEL = """
import os
import signal
import sys
from pathlib import Path

from label_studio_ml.model import LabelStudioMLBase

FOLDER = Path(__file__).parent


class Trained(LabelStudioMLBase):
    def predict(self, tasks, context=None, **kwargs):
        return [{"result": [], "score": os.getpid()} for _ in tasks]

    def fit(self, event, data, **kwargs):
        order = self.extra_params
        if order == "set":
            return {1}
        if order == "abort":
            import flask
            flask.abort(418, "no coffee")
        if order == "look":
            print("waits to be cancelled", flush=True)
            while not self.job.is_cancelled():
                pass
            return "seen"
        if order == "go on":
            print("goes on", flush=True)
            signal.pause()
        if order == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        for epoch in self.job.tqdm(range(2), desc="epoch"):
            print("loss", 1 / (epoch + 1))
        return {"epochs": 2}
"""


class Jobs(Backend):
    """A backend whose `fit` obeys its extra params."""

    def train(self, order: str) -> Reply:
        """Starts a training; returns status and answer."""
        config = {"schema": LABEL_CONFIG, "extra_params": f'"{order}"'}
        assert self.post("/setup", project="1", **config)[0] == 200
        project = {"id": 1, "label_config": LABEL_CONFIG}
        return self.post("/webhook", action="START_TRAINING", project=project)

    def train_quickly(self, order: str) -> tuple[int, int, Any]:
        """Starts trainings until one ends while its caller waits; returns its number, status and
        answer.
        """
        number = 1
        while True:
            status, answer = self.train(order)
            if "job" not in answer:
                return number, status, answer
            self.wait_for_job(number, "done", "failed")
            number += 1

    def wait_for_job(self, number: int, *states: str) -> Any:
        """Waits until a job is in one of the states."""
        while True:
            _, job = self.get(f"/jobs/{number}")
            if job.get("state") in states:
                return job


StartJobs = Callable[..., Jobs]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartJobs]:
    (tmp_path / "model.py").write_text(MODEL)
    started = []

    def start(**variables: str | None) -> Jobs:
        variables = {"MODEL_DIR": str(tmp_path / "models"), **variables}
        started.append(Jobs(tmp_path, cwd=None, **variables))
        return started[-1].__enter__()

    yield start
    for backend in started:
        backend.__exit__()


def test_progress_and_log_reach_the_stored_job(start: StartJobs) -> None:
    backend = start()
    backend.train("train")
    job = backend.wait_for_job(1, "done", "failed")
    assert (job["state"], job["progress"], job["message"]) == ("done", 1.0, "epoch 2/2"), job
    assert job["result"] == {"epochs": 2}
    assert backend.get("/jobs/1/log")[1]["log"] == "loss 1.0\nloss 0.5\n"
    assert backend.predict()[0] == 200


def test_a_cancelled_training_sees_it_and_its_process_lives_on(start: StartJobs) -> None:
    backend = start(CANCEL_GRACE="600")
    process = backend.predict()[1]["results"][0]["score"]
    backend.train("look")
    backend.wait_for("waits to be cancelled")
    backend.delete("/jobs/1")
    assert backend.wait_for_job(1, "cancelled", "failed", "done")["state"] == "cancelled"
    assert backend.predict()[1]["results"][0]["score"] == process
    backend.train("train")
    assert backend.wait_for_job(2, "done", "failed")["state"] == "done"


def test_a_cancelled_training_that_goes_on_is_killed(start: StartJobs) -> None:
    backend = start(CANCEL_GRACE="0")
    process = backend.predict()[1]["results"][0]["score"]
    backend.train("go on")
    backend.wait_for("goes on")
    backend.delete("/jobs/1")
    assert backend.wait_for_job(1, "cancelled", "failed", "done")["state"] == "cancelled"
    assert backend.predict()[1]["results"][0]["score"] != process


def test_a_training_that_kills_its_process_fails_after_its_attempts(start: StartJobs) -> None:
    backend = start(FIT_ATTEMPTS="2")
    status, answer = backend.train("kill")
    assert status in (201, 500), answer
    job = backend.wait_for_job(1, "failed", "done", "cancelled")
    assert (job["state"], job["attempts"]) == ("failed", 2)
    assert "was killed (signal 9)" in job["error"]
    assert backend.predict()[0] == 200


def test_a_result_that_is_no_json_is_told_and_the_job_is_done(start: StartJobs) -> None:
    backend = start()
    number, status, answer = backend.train_quickly("set")
    error = {"error": "Object of type set is not JSON serializable", "status": "error"}
    assert (status, answer) == (201, error)
    job = backend.wait_for_job(number, "done", "failed")
    assert (job["state"], job["result"]) == ("done", None)


def test_fit_may_abort_in_a_worker(start: StartJobs) -> None:
    pytest.importorskip("flask")
    backend = start()
    number, status, answer = backend.train_quickly("abort")
    assert (status, answer["detail"]) == (418, "no coffee")
    job = backend.wait_for_job(number, "done", "failed")
    assert (job["state"], job["error"]) == ("failed", "no coffee")
