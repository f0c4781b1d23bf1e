"""The protocol of the accuracy records: what it reads, when, and what it refuses."""

import dataclasses
import json
import math
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest
from running import python

from benchmarks.fingerprints import fingerprint
from benchmarks.records.attempts import Attempts
from benchmarks.records.clock import Clock
from benchmarks.records.folds import CONTENDERS, parts_of
from benchmarks.records.intervals import exact_interval
from benchmarks.records.process import PYTHON, in_own_process
from benchmarks.records.protocol import Limits, Records
from benchmarks.records.side_by_side import shares, side_by_side
from benchmarks.records.tables import tables
from benchmarks.records.tasks import (
    AS_IT_IS,
    BESIDE,
    FOLDS,
    LENGTH,
    TASKS,
    Task,
    read_changes,
    shortened,
    task_of,
)
from benchmarks.records.tasks import changed as with_changes
from benchmarks.records.worker import MODES
from seqclf.config import Config, resolve
from seqclf.errors import ConfigError, DataError, TrainingError

ROOT = Path(__file__).parents[2]
CHANGES = {"low dropout": {"model.dropout": 0.1}, "no dropout": {"model.dropout": 0.0}}
TASK = Task("toy", "digits", changes=CHANGES, short=0.1)
STEPS = 1500  # of the recipe


class Jobs:
    """Stands for the processes. A config's accuracy is a function of its dropout and its length.

    Attributes:
        done: the jobs that were asked for, in order.
    """

    def __init__(self, accuracy=lambda dropout, steps: 0.9 - dropout, stop_at=None):
        self.done = []
        self._accuracy, self._stop_at = accuracy, stop_at

    def __call__(self, job, folder):
        if job["mode"] == self._stop_at:
            raise KeyboardInterrupt
        self.done.append(job)
        config = resolve(job["config"])
        accuracy = round(self._accuracy(config.model.dropout, config.steps), 6)
        test = {"accuracy": accuracy, "correct": round(1000 * accuracy), "examples": 1000}
        spent = {"seconds": 10.0, "cpu_seconds": 15.0, "processes": 1, "environment": {}}
        if job["mode"] == "train":
            (folder / "run").mkdir(parents=True, exist_ok=True)
            (folder / "run/model.keras").touch()
            score = {"accuracy": accuracy, "loss": 1 - accuracy}
            return {"steps": config.steps, "validation": score, **spent}
        if job["mode"] == "score":
            return {"test": [{**test, "loss": 0.1} for _ in job["runs"]]}
        if job["mode"] == "data":
            return {"data": "data.npz"}
        if job.get("contender") == "Keras, classic":
            spent["seconds"] = 100.0
        return {"test": test, **spent}

    def trained(self):
        """Returns dropout, steps and seed of each training."""
        configs = [resolve(job["config"]) for job in self.done if job["mode"] == "train"]
        return [(config.model.dropout, config.steps, config.seed) for config in configs]


def records(folder, jobs, **more):
    return Records(
        Attempts(folder / "attempts.jsonl"),
        folder / "test_reads.json",
        folder / "runs",
        job=jobs,
        **{"limits": Limits(2, 2, 1), **more},
    )


def lines(folder):
    return Attempts(folder / "attempts.jsonl").lines()


def record(folder):
    return json.loads((folder / "test_reads.json").read_text())


def table(folder):
    return tables(lines(folder), {"toy": ""})


# ---- what is trained, and when the test split is read


def test_the_best_few_of_a_short_schedule_are_trained_whole_and_the_best_is_read(tmp_path):
    jobs = Jobs()
    records(tmp_path, jobs).run(TASK)
    short, whole = round(0.1 * STEPS), STEPS
    expected = [(dropout, short, seed) for seed in (0, 1) for dropout in (0.3, 0.1, 0.0)]
    expected += [(dropout, whole, 0) for dropout in (0.0, 0.1)]  # the best two
    expected += [(0.0, whole, seed) for seed in (100, 101, 102)]
    assert jobs.trained() == expected
    assert [job["mode"] for job in jobs.done].index("score") == len(expected)  # last, and once
    assert len(jobs.done[-1]["runs"]) == 3
    (read,) = record(tmp_path)["toy"]
    assert read["config"] == fingerprint(TASK.configs()["no dropout"])
    assert read["accuracy"] == {"100": 0.9, "101": 0.9, "102": 0.9}


def test_the_whole_schedule_decides_among_the_best_of_the_short_one(tmp_path):
    def late(dropout, steps):
        return 0.9 - dropout if steps < STEPS else 0.8 + dropout

    jobs = Jobs(late)
    name, config = records(tmp_path, jobs).choose(TASK)
    assert (name, config.model.dropout) == ("low dropout", 0.1)  # 0.3 was not among the best two
    assert config == TASK.configs()["low dropout"]


def test_of_equal_accuracies_the_lower_loss_is_better(tmp_path):
    jobs = Jobs(lambda dropout, steps: 0.9)

    def run(job, folder):
        result = jobs(job, folder)
        result["validation"]["loss"] = abs(resolve(job["config"]).model.dropout - 0.1)
        return result

    assert records(tmp_path, run).choose(TASK)[0] == "low dropout"


def test_a_choice_alone_reads_no_test_split(tmp_path):
    jobs = Jobs()
    records(tmp_path, jobs).run(TASK, choose_only=True)
    assert {job["mode"] for job in jobs.done} == {"train"}
    assert not (tmp_path / "test_reads.json").exists()
    assert "- Not yet read: toy." in table(tmp_path)


def test_where_there_is_one_config_nothing_is_chosen(tmp_path):
    jobs = Jobs()
    records(tmp_path, jobs).run(Task("toy", "digits"))
    assert jobs.trained() == [(0.3, STEPS, seed) for seed in (100, 101, 102)]


def test_what_was_done_is_not_done_again_and_every_attempt_is_kept(tmp_path):
    records(tmp_path, Jobs()).run(TASK)
    before, text = lines(tmp_path), table(tmp_path)
    jobs = Jobs()
    records(tmp_path, jobs).run(TASK)
    assert jobs.done == [] and lines(tmp_path) == before and table(tmp_path) == text
    assert len(before) == 6 + 2 + 3 + 3
    assert {line["config"] for line in before if line["kind"] == "training"} == {
        fingerprint(config)
        for whole in TASK.configs().values()
        for config in (whole, shortened(whole, 0.1))
        if config.model.dropout < 0.3 or config.steps < STEPS
    }
    one = before[0]
    assert one["values"]["model.dropout"] == 0.3 and one["values"]["steps"] == 150
    assert (one["validation"]["accuracy"], one["seconds"], one["cpu_seconds"]) == (0.6, 10, 15)
    assert one["date"].count("-") == 2
    assert "source" not in json.dumps(one)  # no path of this machine


@pytest.mark.parametrize("after", [3, 7, 9, 11])
def test_a_stop_loses_nothing(tmp_path, after):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    records(whole, Jobs()).run(TASK)
    jobs = Jobs()

    def stopped(job, folder):
        if len(jobs.done) == after:
            raise KeyboardInterrupt
        return jobs(job, folder)

    with pytest.raises(KeyboardInterrupt):
        records(cut, stopped).run(TASK)
    assert len(lines(cut)) == after
    rest = Jobs()
    records(cut, rest).run(TASK)
    assert len(jobs.done) + len(rest.done) == 6 + 2 + 3 + 1
    assert table(cut) == table(whole) and record(cut) == record(whole)


def test_several_at_once_come_to_the_same(tmp_path):
    one, several = tmp_path / "one", tmp_path / "several"
    records(one, Jobs()).run(TASK)
    busy, most, given = [], [], []
    jobs, all_three = Jobs(), threading.Barrier(3)

    def slow(job, folder, stop=None):
        given.append(stop)
        busy.append(1)
        most.append(len(busy))
        if len(jobs.done) < 6:  # the short schedule: six trainings, three at a time
            all_three.wait(30)  # fails unless three are here
        busy.pop()
        return jobs(job, folder)

    records(several, slow, at_once=3).run(TASK)
    assert max(most) == 3 and table(several) == table(one)
    assert len(jobs.trained()) == 6 + 2 + 3
    assert given.count(None) == 3 + 1  # fresh seeds, whose times are reported, and the reading


@pytest.mark.parametrize("end", [KeyboardInterrupt, TrainingError])
def test_the_others_are_stopped_when_one_ends(tmp_path, end):
    all_three, asked = threading.Barrier(3), []

    def job(job, folder, stop):
        if all_three.wait(30) == 0:
            raise end
        asked.append(stop.wait(30))
        raise TrainingError("stopped")

    with pytest.raises(end, match=None if end is KeyboardInterrupt else "^$"):
        list(side_by_side(job, [({}, tmp_path)] * 3, 3))
    assert asked == [True, True]


@pytest.mark.parametrize(
    ("cores", "count", "expected"),
    [
        ([0, 1], 1, [[0, 1]]),
        ([0, 1], 2, [[0], [1]]),
        ([0, 1], 3, [[0], [1], [0]]),
        ([2, 4, 5, 7, 9], 2, [[2, 4], [5, 7, 9]]),
    ],
)
def test_cores_are_shared_out(cores, count, expected):
    assert shares(cores, count) == expected


def test_a_job_and_its_processes_have_their_share_of_the_cores(tmp_path):
    command = [*PYTHON, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"]

    def job(job, folder, stop):
        return {"cores": json.loads(subprocess.check_output(command))}

    cores = sorted(os.sched_getaffinity(0))
    found = [result["cores"] for _, result in side_by_side(job, [({}, tmp_path)] * 4, 2)]
    assert {tuple(each) for each in found} <= {tuple(each) for each in shares(cores, 2)}
    assert sorted(os.sched_getaffinity(0)) == cores


def test_a_process_that_is_asked_to_end_saves_what_it_has_done(tmp_path):
    stop, config = threading.Event(), {"steps": 100_000, "data": {"source": "digits"}}
    job = {"mode": "train", "config": config | {"checkpoint_every": 100_000}}
    threading.Timer(15, stop.set).start()
    with pytest.raises(TrainingError, match="the same command goes on with it"):
        in_own_process(job, tmp_path, stop)
    assert list((tmp_path / "run/checkpoints").iterdir())
    assert not (tmp_path / "result.json").exists()


# ---- what is refused


def test_a_second_config_is_refused_and_marked_if_it_is_wanted_again(tmp_path):
    records(tmp_path, Jobs()).run(TASK)
    other = Jobs(lambda dropout, steps: 0.5)
    task = Task("toy", "digits", changes={"wide": {"model.units": [99]}})
    with pytest.raises(DataError, match=r"toy: the test split was read on .* set --again"):
        records(tmp_path, other).read(task, "wide", task.configs()["wide"])
    assert other.done == []  # refused before anything is trained
    again = records(tmp_path, other, again=True)
    again.read(task, "wide", task.configs()["wide"])
    assert "100: 50.00 † [46.85, 53.15]" in table(tmp_path)
    assert "- †: the test split had been read for another config" in table(tmp_path)
    assert "100: 90.00 [" in table(tmp_path)
    records(tmp_path, Jobs()).run(TASK)  # the first config remains the first


def test_a_split_counts_as_read_from_the_moment_before(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        records(tmp_path, Jobs(stop_at="score")).run(TASK)
    with pytest.raises(DataError, match="the test split was read"):
        records(tmp_path, Jobs()).read(TASK, AS_IT_IS, TASK.configs()[AS_IT_IS])


def test_a_training_that_is_stopped_has_read_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        records(tmp_path, Jobs(stop_at="train")).run(TASK)
    records(tmp_path, Jobs()).read(TASK, AS_IT_IS, TASK.configs()[AS_IT_IS])
    assert "†" not in table(tmp_path)


def test_a_config_with_a_fresh_seed_has_the_test_split_for_itself(tmp_path):
    jobs = Jobs()

    def stopped(job, folder):
        if len(jobs.done) == 6 + 2 + 1:  # all that is for choosing, and one fresh seed
            raise KeyboardInterrupt
        return jobs(job, folder)

    with pytest.raises(KeyboardInterrupt):
        records(tmp_path, stopped).run(TASK)
    with pytest.raises(DataError, match="the test split was read"):
        records(tmp_path, Jobs()).read(TASK, AS_IT_IS, TASK.configs()[AS_IT_IS])


def test_scores_of_models_that_were_trained_anew_are_computed_anew(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        records(tmp_path, Jobs(stop_at="score")).run(TASK)
    (fresh, *_), scored = (
        sorted((tmp_path / "runs/toy").glob("*_100")),
        tmp_path / "runs/toy" / f"{record(tmp_path)['toy'][0]['config']}_test",
    )
    scored.mkdir()
    (scored / "result.json").write_text("{}")
    (fresh / "run/model.keras").unlink()
    records(tmp_path, Jobs()).run(TASK)
    assert not scored.exists()


def test_seeds_of_choosing_and_of_reading_are_disjoint(tmp_path):
    jobs = Jobs()
    records(tmp_path, jobs).run(TASK)
    for line in lines(tmp_path):
        of_choice = line.get("stage") in ("short", "whole")
        assert (line["seed"] < 100) == of_choice, line
    with pytest.raises(ConfigError, match="At most 100 seeds are for choosing. Received: 101"):
        records(tmp_path, jobs, limits=Limits(101)).run(TASK)


def test_a_seed_that_a_choice_was_made_with_is_not_read(tmp_path):
    choice = {"kind": "training", "task": "toy", "config": "x", "seed": 101, "stage": "short"}
    Attempts(tmp_path / "attempts.jsonl").add(choice)
    jobs = Jobs()
    with pytest.raises(DataError, match="seeds that no choice was made with.*Received: 101"):
        records(tmp_path, jobs).read(TASK, AS_IT_IS, TASK.configs()[AS_IT_IS])
    assert jobs.done == []


def test_damaged_files_are_refused(tmp_path):
    (tmp_path / "attempts.jsonl").write_text('{"kind": "training"}\n')
    with pytest.raises(DataError, match=r"attempts\.jsonl: line 1 is damaged"):
        records(tmp_path, Jobs()).run(TASK)
    (tmp_path / "attempts.jsonl").unlink()
    (tmp_path / "test_reads.json").write_text("{")
    with pytest.raises(DataError, match=r"test_reads\.json: must be the JSON file"):
        records(tmp_path, Jobs()).run(TASK)


# ---- the tasks


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_every_change_suits_its_recipe(task):
    configs = task.configs()
    assert len({fingerprint(config) for config in configs.values()}) == len(configs)
    for config in configs.values():
        short = shortened(config, task.short)
        assert short.select == "last" and short.validate_every == short.steps <= config.steps
        assert short.optimizer.warmup_steps < short.steps


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_what_was_read_is_a_config_of_the_task(task):
    """Otherwise the command would refuse to go on, and nobody could train it again."""
    known = {fingerprint(config) for config in scored_configs(task)}
    assert read_configs(task) <= known


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_what_was_trained_is_a_config_of_the_task_by_the_same_name(task):
    """Otherwise the command would train it again, or the tables would call it something else."""
    lines = Attempts(ROOT / "benchmarks/records/attempts.jsonl").lines()
    trained = [x for x in lines if x["task"] == task.name and x["kind"] == "training"]
    named = {}
    for name, config in task.configs().items():
        for form in (config, shortened(config, task.short), shortened(config, 1.0)):
            named[fingerprint(form)] = name
    assert all(named[x["config"]] == x["change"] for x in trained if x.get("change"))


# What was chosen for these has become the recipe.
ADOPTED = ["mnist_best", "mnist_pixels", "mnist_permuted", "fashion_mnist", "mnist_fast"]


@pytest.mark.parametrize("name", ADOPTED)
def test_the_figures_are_those_of_the_recipe(name):
    task = dataclasses.replace(TASKS[name], base={}, changes={})
    assert read_configs(task) == {fingerprint(config) for config in scored_configs(task)}


def scored_configs(task):
    whole = task.configs().values()
    return [shortened(config, 1.0) for config in whole] if task.kind == BESIDE else whole


def read_configs(task):
    reads = json.loads((ROOT / "benchmarks/records/test_reads.json").read_text())
    return {entry["config"] for entry in reads.get(task.name, [])}


def test_the_length_is_changed_by_a_factor():
    config = with_changes(Config(steps=1000), {LENGTH: 0.7, "batch_size": 32})
    assert (config.steps, config.batch_size) == (700, 32)
    assert shortened(config, 0.5).optimizer.warmup_steps == 100


def test_changes_of_one_s_own(tmp_path):
    path = tmp_path / "changes.json"
    path.write_text('{"wide": {"model.units": [192]}}')
    assert read_changes(str(path)) == {"wide": {"model.units": [192]}}
    for text in ("[]", '{"a": 3}', '{"as it is": {}}', "{"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="`--changes`"):
            read_changes(str(path))
    with pytest.raises(ConfigError, match="`--task` must name some of mnist_best.*'mnist'"):
        task_of("mnist")


# ---- Keras's classic in turns


def test_the_classic_is_trained_in_turns_and_times_are_compared(tmp_path):
    jobs, task = Jobs(), Task("toy", "digits", kind=BESIDE, fresh=2)
    records(tmp_path, jobs).run(task)
    turns = [(j["contender"], j["seed"]) for j in jobs.done if j["mode"] == "beside"]
    classic = "Keras, classic"
    assert turns == [("", 100), (classic, 100), ("", 101), (classic, 101)]
    assert "seqclf needs 0.100 (0.100 – 0.100; trained in turns)" in table(tmp_path)
    assert "| toy | Keras, classic | 100: 60.00 [" in table(tmp_path)
    assert record(tmp_path)["toy"][0]["accuracy"] == {"100": 0.6, "101": 0.6}
    before = len(jobs.done)
    records(tmp_path, jobs).run(task)
    assert [job["mode"] for job in jobs.done[before:]] == ["data"]
    with pytest.raises(DataError, match="the test split was read"):
        records(tmp_path, jobs).run(Task("toy", "mnist", kind=BESIDE))


# ---- cross-validation


def test_every_fold_is_scored_by_all_contenders(tmp_path):
    jobs, task = Jobs(), Task("toy", "digits", kind=FOLDS, fresh=2)
    records(tmp_path, jobs).run(task)
    assert len(jobs.done) == 2 * 5 * 3
    asked = {(job["repetition"], job["fold"], job["contender"]) for job in jobs.done}
    assert asked == {(r, f, c) for r in range(2) for f in range(5) for c in CONTENDERS}
    assert record(tmp_path)["toy"][0]["accuracy"] == {"100": 0.6, "101": 0.6}
    assert "| toy | SVC (RBF) | 100: 60.00 [58.63, 61.36]; 101: " in table(tmp_path)  # of 5,000
    with pytest.raises(ConfigError, match="none is left to choose by"):
        records(tmp_path, jobs).run(Task("toy", "digits", kind=FOLDS, changes=CHANGES))


def test_a_repetition_that_lacks_a_fold_is_not_reported(tmp_path):
    jobs = Jobs()

    def stopped(job, folder):
        if (job["repetition"], job["fold"]) == (1, 4):
            raise KeyboardInterrupt
        return jobs(job, folder)

    with pytest.raises(KeyboardInterrupt):
        records(tmp_path, stopped).run(Task("toy", "digits", kind=FOLDS, fresh=2))
    assert "101:" not in table(tmp_path)


def test_the_folds_of_a_repetition_have_every_digit_once():
    for repetition in (0, 1):
        parts = [parts_of(repetition, fold, 5) for fold in range(5)]
        held = [image.tobytes() for _, test in parts for image in test.x]
        assert len(held) == 1797
        for train, test in parts:
            assert len(train.y) + len(test.y) == 1797
    first, second = (parts_of(r, 0, 5)[1].x for r in (0, 1))
    assert first.shape != second.shape or (first != second).any()


@pytest.mark.parametrize("contender", CONTENDERS)
def test_every_contender_learns_the_digits(contender, tmp_path):
    config = resolve(
        {
            "model": {"units": [32]},
            "steps": 150,
            "jit_compile": False,
            "optimizer": {"warmup_steps": 10},
        }
    )
    job = {"contender": contender, "config": config.to_dict(), "seed": 100}
    job |= {"repetition": 0, "fold": 0, "folds": 5}
    result = MODES["fold"](job, tmp_path, Clock(tmp_path / "clock.json", time.monotonic()))
    assert result["test"]["examples"] == 360 and result["test"]["accuracy"] > 0.9
    assert result["seconds"] > 0


# ---- the processes

SMALL = {"steps": 20, "model.units": [4], "checkpoint_every": 5, "batch_size": 16}
TINY = Task(
    "toy",
    "digits",
    base={**SMALL, "validate_every": 10, "jit_compile": False, "optimizer.warmup_steps": 4},
    fresh=2,
)
KILLED_AT_STEP_12 = """
import os, signal, sys
from benchmarks.records import worker
class Killed(worker.Clock):
    steps = 0
    def write(self, if_due=False):
        super().write()
        Killed.steps += if_due
        if Killed.steps == 12:
            os.kill(os.getpid(), signal.SIGKILL)
worker.Clock = Killed
worker.main(["", sys.argv[1], sys.argv[2]])
"""


def here(job, folder):
    """Does a job in this process."""
    folder.mkdir(parents=True, exist_ok=True)
    return MODES[job["mode"]](job, folder, Clock(folder / "clock.json", time.monotonic()))


def without_times(text):
    """Returns a table without what differs from run to run: the two columns of times."""
    return [line.split("|")[:-6] for line in text.splitlines() if line.startswith("| toy")]


def test_a_training_that_was_killed_goes_on_and_the_table_is_the_same(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    records(whole, here).run(TINY)

    def killed_once(job, folder):
        if resolve(job["config"]).seed != 101 or folder.exists():
            return here(job, folder)
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(json.dumps(job))
        command = [*python(), "-c", KILLED_AT_STEP_12, str(folder), repr(time.monotonic())]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
            assert process.wait(300) != 0
        assert (folder / "run/checkpoints/step-000000010.npz").exists()
        assert not (folder / "result.json").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        records(cut, killed_once).run(TINY)
    records(cut, killed_once).run(TINY)
    ours, theirs = (
        [
            {k: v for k, v in line.items() if k not in ("seconds", "cpu_seconds", "processes")}
            for line in lines(folder)
        ]
        for folder in (cut, whole)
    )
    assert ours == theirs
    assert without_times(table(cut)) == without_times(table(whole)) != []
    resumed = next(x for x in lines(cut) if (x["kind"], x["seed"]) == ("training", 101))
    assert resumed["processes"] == 2 and resumed["cpu_seconds"] > 0
    assert record(cut) == record(whole)


def test_a_process_does_a_job_and_keeps_its_result(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.records.process.PYTHON", python())
    monkeypatch.chdir(ROOT)
    job = {"mode": "train", "config": TINY.configs()[AS_IT_IS].to_dict()}
    result = in_own_process(job, tmp_path / "a")
    assert result["steps"] == 20 and result["processes"] == 1
    assert result["seconds"] > 0 and result["cpu_seconds"] > 0
    assert result["environment"]["tensorflow"]
    assert result["examples"]["validation"] == 144
    monkeypatch.setattr("benchmarks.records.process.PYTHON", ["false"])
    assert in_own_process(job, tmp_path / "a") == result


def test_a_process_ends_with_the_one_that_started_it(tmp_path):
    config = TINY.configs()[AS_IT_IS].changed({"steps": 100_000, "validate_every": 100_000})
    (tmp_path / "job.json").write_text(json.dumps({"mode": "train", "config": config.to_dict()}))
    command = [*python(), "-m", "benchmarks.records.worker", str(tmp_path), repr(time.monotonic())]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
        while not list(tmp_path.glob("run/checkpoints/step-*")):
            assert process.poll() is None
            time.sleep(0.05)
        process.stdin.close()
        assert process.wait(60) == 143
    assert not (tmp_path / "result.json").exists()


def test_the_clock_adds_the_processes_up(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("os.times", lambda: (1.0, 0.25, 0.5, 0.25, 9.0))
    first = Clock(tmp_path / "clock.json", born=95.0)
    now[0] = 104.0
    first.write(if_due=True)  # the last writing is 9 s old
    assert not (tmp_path / "clock.json").exists()
    now[0] = 105.0
    first.write(if_due=True)
    now[0] = 200.0  # what came after the last writing is lost
    second = Clock(tmp_path / "clock.json", born=197.0)
    now[0] = 201.0
    spent = second.stop()
    assert spent == {"seconds": 14.0, "cpu_seconds": 4.0, "processes": 2}
    assert second.stop() == spent


# ---- intervals and tables


@pytest.mark.parametrize(("correct", "examples"), [(0, 20), (20, 20), (17, 20), (9955, 10_000)])
def test_intervals_are_exact(correct, examples):
    """At each end, what was seen or more (or less) has a chance of 2.5 %."""
    low, high = exact_interval(correct, examples)

    def chance(counts, p):
        logs = (
            math.lgamma(examples + 1) - math.lgamma(k + 1) - math.lgamma(examples - k + 1)
            + k * math.log(p) + (examples - k) * math.log1p(-p)
            for k in counts
        )  # fmt: skip
        return math.fsum(map(math.exp, logs))

    if correct:
        assert chance(range(correct, examples + 1), low) == pytest.approx(0.025, rel=1e-6)
    if correct < examples:
        assert chance(range(correct + 1), high) == pytest.approx(0.025, rel=1e-6)
    assert (low, high)[correct > 0] in (0.0, 1.0) or 0 < low < correct / examples < high < 1


def training(change, seed, accuracy, stage="short", config="aaa", steps=150):
    score = {"accuracy": accuracy, "loss": 0.25}
    return {
        **{"kind": "training", "task": "toy", "stage": stage, "change": change, "seed": seed},
        **{"config": config, "steps": steps, "validation": score},
        **{"seconds": 10.0 + seed, "cpu_seconds": 20.0},
    }


def reading(seed, correct, **more):
    test = {"accuracy": correct / 1000, "correct": correct, "examples": 1000}
    return {
        **{"kind": "reading", "task": "toy", "config": "ccc", "seed": seed, "change": "wide"},
        **{"first": True, "test": test, "seconds": 100.0 + seed, "cpu_seconds": 200.0, **more},
    }


def test_the_tables_of_results_that_were_made_by_hand():
    text = tables(
        [
            *(training("as it is", seed, 0.9 + seed / 100) for seed in (0, 1)),
            *(training("wide", seed, 0.95, config="bbb") for seed in (0, 1)),
            training("wide", 0, 0.97, stage="whole", config="ccc", steps=1500),
            *(reading(seed, correct) for seed, correct in ((100, 980), (101, 990), (102, 985))),
        ],
        {"toy": "A toy.", "other": "Never seen."},
    )
    assert (
        "| toy | seqclf | 100: 98.00 [96.93, 98.77]; 101: 99.00 [98.17, 99.52]; "
        "102: 98.50 [97.54, 99.16] | **98.50** (98.00 – 99.00) | 98.50 | 201.0 | 200.0 | wide "
        "| `ccc` | 5 |"
    ) in text
    assert "- toy: A toy." in text and "- Not yet run: other." in text and "Never" not in text
    wide = "| short schedule | wide | `bbb` | 150 | 0: 95.00; 1: 95.00 | 95.00 | 0.2500 | 10.5 |"
    as_it_is = (
        "| short schedule | as it is | `aaa` | 150 | 0: 90.00; 1: 91.00 | 90.50 | 0.2500 | 10.5 "
        "| 20.0 |"
    )
    assert 0 < text.index(wide) < text.index(as_it_is) < text.index("| whole schedule | wide |")


def command(*arguments):
    run = [*python(), "-m", "benchmarks.records", *arguments]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr
    return done


def test_the_command_prints_the_tables_of_a_file(tmp_path):
    path = tmp_path / "attempts.jsonl"
    path.write_text(json.dumps(reading(100, 980) | {"task": "digits", "date": "2000-01-01"}) + "\n")
    done = command("--table", f"--attempts={path}")
    assert done.returncode == 0, done.stderr
    assert "| digits | seqclf | 100: 98.00 [96.93, 98.77] |" in done.stdout
    assert "Not yet run: mnist_best, " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "`--task` must name some of mnist_best, "),
        (["--task=nonesuch"], 2, "Received: 'nonesuch'"),
        (
            ["--task=mnist_best", "--only=nonesuch"],
            2,
            "or a part of some of these. Received: 'nonesuch'",
        ),
        (["--task=mnist_best", "--changes=nonesuch.json"], 2, "nonesuch.json cannot be read"),
        (["--table", "--attempts=README.md"], 1, "README.md: line 1 is damaged"),
    ],
)
def test_what_the_command_refuses(arguments, status, message):
    done = command(*arguments)
    assert done.returncode == status and message in done.stderr
