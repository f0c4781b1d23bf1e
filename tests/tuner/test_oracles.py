"""The mended oracles, without any training; and that Keras Tuner's own still need it."""

import contextlib
import math

import keras_tuner
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.tuner import mended
from seqclf.tuner.oracles import make_oracle

SCORE = "score"
TRIALS = 8


class Silent:
    """A listener that only counts."""

    def __init__(self):
        self.lost = []

    def trial_began(self, oracle, trial):
        pass

    def trial_ended(self, oracle, trial):
        pass

    def trial_lost(self, oracle, trial, tuner_id):
        self.lost.append((trial.trial_id, tuner_id))


def space(choices=4):
    hp = keras_tuner.HyperParameters()
    hp.Choice("a", list(range(choices)))
    hp.Choice("b", ["x", "y"])
    with hp.conditional_scope("b", ["y"]):
        hp.Float("c", 0.0, 1.0, step=0.5)
    return hp


def make(tuner, folder, max_trials=TRIALS, **more):
    """Returns an oracle with what `folder` holds of an earlier one."""
    arguments = {
        "objective": keras_tuner.Objective(SCORE, "max"),
        "hyperparameters": space(),
        "max_trials": None if tuner == "hyperband" else max_trials,
        "max_epochs": 9,
        "seed": 3,
        "listener": Silent(),
        "lost_after": 60.0,
    }
    return opened(make_oracle(tuner, **arguments | more), folder)


def opened(oracle, folder):
    oracle._set_project_dir(str(folder), "search")
    if (folder / "search" / "oracle.json").exists():
        oracle.reload()
    return oracle


def finish(oracle, trial, score):
    """Ends a trial; a score of None is a failure."""
    if score is None:
        trial.status = "FAILED"
    else:
        oracle.update_trial(trial.trial_id, {SCORE: score})
        trial.status = "COMPLETED"
    oracle.end_trial(trial)


def drive(oracle, score, at_most=1000):
    """Runs up to `at_most` trials alone; returns them."""
    trials = []
    while len(trials) < at_most:
        trial = oracle.create_trial("tuner0")
        if trial.status == "STOPPED":
            break
        assert trial.status == "RUNNING"  # alone there is nothing to wait for
        finish(oracle, trial, score(trial))
        trials.append(trial)
    return trials


def value(trial):
    """A score that no two configs of the space share, whatever the round."""
    values = trial.hyperparameters.values
    return values["a"] + 10 * (values["b"] == "y") + values.get("c", 0.0) / 10


def plain(trial):
    return trial.trial_id, dict(trial.hyperparameters.values)


@settings(max_examples=40)
@given(
    st.sampled_from(["random", "grid", "hyperband"]),
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=5),
)
@pytest.mark.faults
def test_a_search_that_is_killed_again_and_again_tries_the_same(tmp_path_factory, tuner, stops):
    """Each stop: after so many trials, in the middle of one or between two."""
    whole = drive(make(tuner, tmp_path_factory.mktemp("whole")), value)
    folder = tmp_path_factory.mktemp("killed")
    tried = []
    for count, in_a_trial in stops:
        oracle = make(tuner, folder)
        tried += drive(oracle, value, count)
        running = oracle.create_trial("tuner0") if in_a_trial else None
        if running and running.status == "RUNNING":
            again = make(tuner, folder).create_trial("tuner0")
            assert plain(again) == plain(running)
    tried += drive(make(tuner, folder), value)
    assert sorted(map(plain, tried), key=str) == sorted(map(plain, whole), key=str)


def test_bayesian_goes_on_after_a_kill(tmp_path):
    first = drive(make("bayesian", tmp_path), value, 5)
    make("bayesian", tmp_path).create_trial("tuner0")
    rest = drive(make("bayesian", tmp_path), value)
    assert [t.trial_id for t in first + rest] == [str(i) for i in range(TRIALS)]


def test_a_grid_tries_every_combination_once(tmp_path):
    trials = drive(make("grid", tmp_path, max_trials=None), value)
    combinations = {tuple(sorted(t.hyperparameters.values.items())) for t in trials}
    assert len(trials) == len(combinations) == 4 * (1 + 3)


def test_the_original_grid_cannot_be_resumed(tmp_path):
    def original():
        return opened(
            keras_tuner.oracles.GridSearchOracle(
                objective=keras_tuner.Objective(SCORE, "max"), hyperparameters=space()
            ),
            tmp_path,
        )

    oracle = original()
    oracle.verbose = 0
    drive(oracle, value, 2)
    with contextlib.suppress(KeyError):  # the other way in which it fails
        assert len(drive(original(), value)) < 4 * (1 + 3) - 2


@pytest.mark.parametrize("original", [False, True])
def test_a_finished_trial_is_not_run_again(tmp_path, original):
    """A kill between the end of a trial and the next."""
    objective = keras_tuner.Objective(SCORE, "max")

    def oracle():
        if not original:
            return make("random", tmp_path)
        new = keras_tuner.oracles.RandomSearchOracle(
            objective=objective, hyperparameters=space(), max_trials=TRIALS
        )
        new.verbose = 0
        return opened(new, tmp_path)

    first = oracle()
    trial = first.create_trial("tuner0")
    finish(first, trial, 1.0)
    assert (oracle().create_trial("tuner0").trial_id == trial.trial_id) == original


def test_a_trial_that_was_written_but_never_counted_is_forgotten(tmp_path, monkeypatch):
    oracle = make("random", tmp_path)
    drive(oracle, value, 2)
    expected = plain(make("random", tmp_path).create_trial("tuner0"))
    oracle = make("random", tmp_path)
    monkeypatch.setattr(oracle, "save", lambda: 1 / 0)  # the kill: trial.json is there by now
    with pytest.raises(ZeroDivisionError):
        oracle.create_trial("tuner0")
    assert plain(make("random", tmp_path).create_trial("tuner0")) == expected


def test_a_kill_in_the_middle_of_a_write_leaves_the_file_before_it(tmp_path, monkeypatch):
    oracle = make("random", tmp_path)
    drive(oracle, value, 2)
    before = (tmp_path / "search" / "oracle.json").read_bytes()
    monkeypatch.setattr(mended.stateful.Stateful, "save", lambda self, name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        oracle.create_trial("tuner0")
    assert (tmp_path / "search" / "oracle.json").read_bytes() == before
    monkeypatch.undo()
    assert make("random", tmp_path).create_trial("tuner1").status == "RUNNING"


def test_an_error_does_not_leave_the_lock_held(tmp_path, monkeypatch):
    oracle = make("random", tmp_path)
    monkeypatch.setattr(oracle, "populate_space", lambda trial_id: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        oracle.create_trial("tuner0")
    assert not mended.keras_tuner_oracle.LOCKS[oracle].locked()


@pytest.mark.parametrize("tuner", ["random", "grid", "bayesian", "hyperband"])
def test_failures_do_not_end_a_search(tmp_path, tuner):
    trials = drive(make(tuner, tmp_path), lambda trial: None)
    assert len(trials) >= TRIALS
    assert make(tuner, tmp_path).create_trial("tuner0").status == "STOPPED"


def test_in_the_original_three_failures_end_it(tmp_path):
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective(SCORE, "max"), hyperparameters=space(), max_trials=TRIALS
    )
    oracle.verbose = 0
    with pytest.raises(RuntimeError, match="consecutive failures exceeded"):
        drive(opened(oracle, tmp_path), lambda trial: None)


@settings(max_examples=60)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=30, max_size=30, unique=False))
def test_hyperband_promotes_the_best_whatever_fails(tmp_path_factory, scores):
    oracle = make("hyperband", tmp_path_factory.mktemp("search"), hyperparameters=space(1000))
    upcoming = iter(scores * 4)
    trials = drive(oracle, lambda trial: next(upcoming))
    by_round = {}
    for trial in trials:
        values = trial.hyperparameters.values
        by_round.setdefault((values["tuner/bracket"], values["tuner/round"]), []).append(trial)
    for (bracket, round_num), members in by_round.items():
        planned = oracle._get_size(bracket, round_num)
        if round_num == 0:
            assert len(members) == planned
            continue
        before = by_round[bracket, round_num - 1]
        completed = [t for t in before if oracle.trials[t.trial_id].status == "COMPLETED"]
        assert len(members) == min(planned, len(completed))
        parents = {t.hyperparameters.values["tuner/trial_id"] for t in members}
        scores_of = {t.trial_id: oracle.trials[t.trial_id].score for t in completed}
        out = [score for trial_id, score in scores_of.items() if trial_id not in parents]
        assert min(scores_of[p] for p in parents) >= max(out, default=-math.inf)
        for trial in members:
            values = dict(trial.hyperparameters.values)
            parent = oracle.trials[values["tuner/trial_id"]].hyperparameters.values
            assert values["tuner/initial_epoch"] == parent["tuner/epochs"]
            assert values["a"] == parent["a"]


def test_hyperband_stops_at_max_trials_and_plans_them(tmp_path):
    oracle = make("hyperband", tmp_path, max_trials=5)
    assert len(oracle.planned_epochs()) == 23  # 9 + 3 + 1, 5 + 2 and 3, with 9 epochs and factor 3
    limited = make_oracle(
        "hyperband",
        objective=keras_tuner.Objective(SCORE, "max"),
        hyperparameters=space(),
        max_trials=5,
        max_epochs=9,
        seed=0,
        listener=Silent(),
        lost_after=60.0,
    )
    assert len(drive(opened(limited, tmp_path / "limited"), value)) == 5


def test_hyperband_in_a_space_of_few_values_still_promotes(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Choice("a", [1, 2, 3])
    trials = drive(
        make("hyperband", tmp_path, hyperparameters=hp), lambda t: t.hyperparameters.values["a"]
    )
    assert {1, 3, 9} == {t.hyperparameters.values["tuner/epochs"] for t in trials}
    last = trials[-1].hyperparameters.values
    assert (last["a"], last["tuner/epochs"]) == (3, 9)


def test_in_the_original_hyperband_failures_keep_others_from_promotion(tmp_path):
    oracle = keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective(SCORE, "max"),
        hyperparameters=space(1000),
        max_epochs=9,
        max_consecutive_failed_trials=10**9,
    )
    oracle.verbose = 0
    count = iter(range(1000))
    trials = drive(opened(oracle, tmp_path), lambda t: 1.0 if next(count) % 5 == 0 else None)
    assert {t.hyperparameters.values["tuner/round"] for t in trials} == {0}


def test_bayesian_does_not_repeat_itself_and_leaves_random_search_in_time(tmp_path):
    trials = drive(make("bayesian", tmp_path, max_trials=16), value)
    seen = {tuple(sorted(t.hyperparameters.values.items())) for t in trials}
    assert len(seen) == len(trials) >= 13  # of 16 there are; it may miss the last at random
    assert make("bayesian", tmp_path / "b", max_trials=16).num_initial_points == 5


def test_seed_0_is_a_seed(tmp_path):
    first, second = (
        [plain(t) for t in drive(make("random", tmp_path / name, seed=0), value, 4)]
        for name in ("a", "b")
    )
    assert first == second


class TestWorkers:
    """The chief's side, the clock made to run."""

    @pytest.fixture
    def clock(self, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr(mended.time, "monotonic", lambda: now[0])
        return now

    def test_a_silent_workers_trial_goes_to_another(self, tmp_path, clock):
        oracle = make("random", tmp_path)
        mine, other = (oracle.create_trial(name) for name in ("dead", "alive"))
        for _ in range(3):
            clock[0] += 40
            oracle.get_trial(other.trial_id)  # a sign of life
            oracle.release_lost()
        assert oracle.listener.lost == [(mine.trial_id, "dead")]
        assert oracle.tuner_ids == {"alive"}
        finish(oracle, other, 1.0)
        assert plain(oracle.create_trial("alive")) == plain(mine)

    def test_a_worker_that_was_only_slow_ends_its_trial(self, tmp_path, clock):
        oracle = make("random", tmp_path)
        trial = oracle.create_trial("slow")
        clock[0] += 100
        oracle.release_lost()
        finish(oracle, trial, 1.0)
        assert oracle.create_trial("slow").trial_id != trial.trial_id
        assert oracle.end_order == [trial.trial_id]

    def test_a_trial_that_two_workers_end_counts_once(self, tmp_path, clock):
        oracle = make("random", tmp_path)
        trial = oracle.create_trial("slow")
        clock[0] += 100
        oracle.release_lost()
        again = oracle.create_trial("quick")
        assert again.trial_id == trial.trial_id
        finish(oracle, again, 1.0)
        finish(oracle, trial, 1.0)
        assert oracle.end_order == [trial.trial_id]

    def test_a_worker_that_left_without_a_trial_is_forgotten(self, tmp_path, clock):
        oracle = make("hyperband", tmp_path)
        trials = [oracle.create_trial(f"tuner{i}") for i in range(3)]
        finish(oracle, trials[0], 1.0)
        clock[0] += 100
        for trial in trials[1:]:
            oracle.get_trial(trial.trial_id)
        oracle.release_lost()
        assert oracle.tuner_ids == {"tuner1", "tuner2"}

    def test_the_same_worker_started_again_goes_on_with_its_trial(self, tmp_path):
        oracle = make("random", tmp_path)
        trial = oracle.create_trial("tuner0")
        assert oracle.create_trial("tuner0").trial_id == trial.trial_id
