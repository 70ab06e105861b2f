"""The loop, with a task that takes no time: a line through points."""

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from napari_vbmd.errors import ParameterError
from napari_vbmd.study import training
from napari_vbmd.study.batches import Plan
from napari_vbmd.study.checkpoint import CHECKPOINT, read_checkpoint
from napari_vbmd.study.device import make_fabric
from napari_vbmd.study.metrics import read_metrics, write_curves
from napari_vbmd.study.presets import TRAINING_PRESETS
from napari_vbmd.study.stopper import STOP
from napari_vbmd.study.task import Score
from napari_vbmd.study.training import Training

PRESET = replace(TRAINING_PRESETS["improved"], settling=3)
PLAN = Plan(steps=12, every=4, batch=2, rate=0.1, seed=5)
TRAINED = [SimpleNamespace(slope=2.0 + k / 10) for k in range(5)]
HELD_OUT = [SimpleNamespace(slope=2.2), SimpleNamespace(slope=2.4)]


@dataclass
class Line:
    """Learns a slope; its score is how near it comes."""

    broken_at: int = -1  # the loss of this batch is no number
    batches: int = 0

    def network(self):
        return torch.nn.Sequential(
            torch.nn.Linear(1, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.2),
            torch.nn.Linear(4, 1),
        )  # fmt: skip

    def batch(self, volumes, draw):
        self.batches += 1
        x = torch.from_numpy(draw.standard_normal((len(volumes), 8, 1), dtype=np.float32))
        slopes = torch.tensor([volume.slope for volume in volumes])[:, None, None]
        return x.reshape(-1, 1), (slopes * x).reshape(-1, 1)

    def loss(self, network, batch):
        x, y = batch
        loss = (network(x) - y).square().mean()
        return loss * math.nan if self.batches == self.broken_at else loss

    def score(self, network, volume, device):
        assert not network.training
        found = (network(torch.ones(1, 1)) - network(-torch.ones(1, 1))).item() / 2
        return Score(1 - min(1.0, abs(found - volume.slope) / 5), abs(found - volume.slope))


@pytest.fixture(scope="module")
def fabric():
    return make_fabric("cpu")


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    """Curves take longer to draw than these trainings take."""
    monkeypatch.setattr(training, "write_curves", lambda *_: None)


@pytest.fixture
def start(tmp_path, fabric):
    """Train in a folder, or go on there; gives how it ended, where it stands, and the best ones."""

    def run(plan=PLAN, folder="run", task=None, progress=lambda *_: None, begin=lambda _: None):
        out = tmp_path / folder
        out.mkdir(exist_ok=True)
        best = []
        work = Training(
            task or Line(), PRESET, plan, TRAINED, HELD_OUT, out, {"seed": plan.seed}, begin,
            lambda _, standing: best.append((standing.step, standing.best_dice)), progress,
        )  # fmt: skip
        ending, standing = work.run(fabric, read_checkpoint(out / CHECKPOINT))
        return SimpleNamespace(
            ending=ending, standing=standing, best=best, out=out, network=work.network
        )

    return run


def without_seconds(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def same(one, other):
    a, b = one.network.state_dict(), other.network.state_dict()
    return all(torch.equal(a[key], b[key]) for key in a)


def test_it_trains_validates_and_keeps(start, monkeypatch):
    monkeypatch.setattr(training, "write_curves", write_curves)
    done = start(replace(PLAN, steps=200, every=50))
    assert done.ending == "finished"
    rows = read_metrics(done.out)
    assert [row["step"] for row in rows] == list(range(5, 201, 5))
    validated = [row for row in rows if "validation_dice" in row]
    assert [row["step"] for row in validated] == [50, 100, 150, 200]
    assert validated[-1]["validation_dice"] > 0.95 > validated[0]["validation_dice"]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert (done.out / "curves.png").stat().st_size > 1000
    best = max(validated, key=lambda row: row["validation_dice"])
    assert done.best[-1][0] == done.standing.best_step == best["step"]
    assert [dice for _, dice in done.best] == sorted(dice for _, dice in done.best)


def test_the_learning_rate_is_the_presets(start):
    rows = read_metrics(start(replace(PLAN, every=10)).out)
    expected = [PRESET.rate_at(step, 12, 0.1) for step in range(12)]
    assert [row["learning_rate"] for row in rows] == pytest.approx(expected, rel=1e-4)


def test_two_runs_are_equal_and_another_seed_is_not(start):
    one, other = start(folder="one"), start(folder="other")
    assert same(one, other)
    assert without_seconds(read_metrics(one.out)) == without_seconds(read_metrics(other.out))
    assert not same(one, start(replace(PLAN, seed=6), folder="third"))


@pytest.mark.parametrize("stopped_after", [1, 4, 6, 11])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(start, stopped_after):
    def stop(fraction, message):
        if message.startswith(f"train: step {stopped_after} "):
            (whole.out.parent / "cut" / STOP).touch()

    whole = start(folder="whole")
    cut = start(folder="cut", progress=stop)
    assert cut.ending == "interrupted"
    assert stopped_after <= cut.standing.step <= stopped_after + 1
    rest = start(folder="cut")
    assert rest.ending == "finished"
    assert same(rest, whole)
    assert without_seconds(rest.standing.rows) == without_seconds(whole.standing.rows)
    assert rest.standing.seconds >= cut.standing.seconds


def test_a_validation_that_was_interrupted_is_made_up_for(start):
    def stop(fraction, message):
        if "validation 1 of 2" in message and message.startswith("train: step 4 "):
            (whole.out.parent / "cut" / STOP).touch()

    whole = start(folder="whole")
    cut = start(folder="cut", progress=stop)
    assert cut.ending == "interrupted"
    assert "validation_dice" not in cut.standing.rows[-1]
    rest = start(folder="cut")
    assert same(rest, whole)
    assert without_seconds(rest.standing.rows) == without_seconds(whole.standing.rows)


def test_when_time_is_up_it_validates_and_can_go_on(start, monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    done = start(replace(PLAN, minutes=5.5 / 60))
    assert (done.ending, done.standing.step) == ("time is up", 6)
    assert "validation_dice" in read_metrics(done.out)[-1]
    assert start().ending == "finished"


def test_a_loss_that_is_no_number_ends_it_and_the_checkpoint_stays(start):
    done = start(task=Line(broken_at=6 + PRESET.settling))
    assert (done.ending, done.standing.step) == ("diverged", 5)
    kept = read_checkpoint(done.out / CHECKPOINT)
    assert kept["standing"].step == 4
    assert start(replace(PLAN, rate=0.05)).ending == "finished"


def test_weights_that_are_no_numbers_are_never_kept(start, monkeypatch):
    def ruin(fraction, message):
        if message.startswith("train: step 4 "):
            with torch.no_grad():
                networks[-1][0].weight.fill_(math.inf)

    networks = []
    done = start(begin=networks.append, progress=ruin)
    assert done.ending == "diverged"
    assert not (done.out / CHECKPOINT).exists()
    assert done.best == []


def test_a_finished_training_is_left_as_it_is(start):
    start()
    again = start()
    assert again.ending == "finished"
    assert again.standing.step == 12
    assert again.best == []


def test_batch_norms_are_settled_before_a_validation(start):
    done = start()
    norm = done.network[1]
    assert norm.momentum == 0.1
    assert int(norm.num_batches_tracked) == PRESET.settling


def test_where_memory_runs_out_it_says_what_to_do(start):
    def full(_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(ParameterError, match="smaller --batch"):
        start(begin=full)
