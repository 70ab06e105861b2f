import numpy as np
import pytest
import torch
from torch import nn

from napari_vbmd.errors import ParameterError
from napari_vbmd.segmentation.inference import (
    available_memory,
    check_memory,
    choose_device,
    predict,
)


class Notes(list):
    """One list for a network and its copies."""

    def __deepcopy__(self, _):
        return self


class Tenfold(nn.Module):
    """Logits ten times the input; notes what it was given."""

    def __init__(self, dims):
        super().__init__()
        kind = nn.Conv2d if dims == 2 else nn.Conv3d
        self.layer = kind(1, 1, 1, bias=False)
        nn.init.constant_(self.layer.weight, 10.0)
        self.seen = Notes()

    def forward(self, x):
        self.seen.append((tuple(x.shape), self.training, torch.is_inference_mode_enabled()))
        return self.layer(x)


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.3, (10, 8, 12)).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("dims", [2, 3])
def test_probabilities_are_the_logits_in_255_steps(volume, dims):
    values = predict(Tenfold(dims), volume, dims)
    assert values.dtype == np.uint8
    assert values.shape == volume.shape
    assert np.abs(values / 255 - sigmoid(10.0 * volume)).max() <= 0.5 / 255 + 1e-5


def test_2d_goes_by_small_batches_of_slices_and_3d_at_once(volume):
    flat, deep = Tenfold(2), Tenfold(3)
    predict(flat.train(), volume, 2)
    predict(deep.train(), volume, 3)
    assert [shape for shape, *_ in flat.seen] == [(4, 1, 8, 12), (4, 1, 8, 12), (2, 1, 8, 12)]
    assert [shape for shape, *_ in deep.seen] == [(1, 1, 10, 8, 12)]
    assert not any(training for _, training, _ in flat.seen + deep.seen)
    assert all(inference for *_, inference in flat.seen + deep.seen)


def test_the_volume_is_not_changed(volume):
    before = volume.copy()
    predict(Tenfold(2), volume, 2)
    assert np.array_equal(volume, before)


@pytest.mark.parametrize("dims", [2, 3])
def test_progress_ends_at_one(volume, dims):
    told = []
    predict(Tenfold(dims), volume, dims, progress=lambda done, text: told.append((done, text)))
    assert told[-1][0] == 1.0
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert all(text for _, text in told)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_run_can_be_cancelled_and_repeated(volume, dims):
    network = Tenfold(dims)

    def stop(done, text):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        predict(network, volume, dims, progress=stop)
    assert predict(network, volume, dims).shape == volume.shape


def test_memory_that_runs_out_is_one_clear_line(volume):
    class Greedy(nn.Module):
        def forward(self, x):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 1 TB")

    with pytest.raises(ParameterError, match=r"memory did not suffice: .*--slices"):
        predict(Greedy(), volume, 2)


def test_another_failure_is_not_hidden(volume):
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("a fault in the program")

    with pytest.raises(RuntimeError, match="a fault"):
        predict(Broken(), volume, 2)


# memory and device


@pytest.mark.parametrize("dims", [2, 3])
def test_too_little_memory_is_said_before_with_what_to_do(dims):
    with pytest.raises(ParameterError, match=r"GB .* are free: .*(GPU).*contour"):
        check_memory((80, 512, 512), dims, available=100_000_000)


def test_a_3d_network_needs_more_for_more_slices_and_a_2d_network_hardly():
    needed = {
        dims: [check_memory((n, 512, 512), dims, available=10**12) for n in (40, 80)]
        for dims in (2, 3)
    }
    assert needed[3][1] > 1.7 * needed[3][0]
    assert needed[2][1] < 1.1 * needed[2][0]
    assert 2e9 < needed[3][1] < 4e9


def test_an_unknown_memory_stops_nothing(monkeypatch):
    monkeypatch.setattr("napari_vbmd.segmentation.inference.available_memory", lambda: None)
    assert check_memory((80, 512, 512), 3) > 0


def test_free_memory_is_a_plausible_number():
    free = available_memory()
    assert free is None or 10**7 < free < 10**15


def test_the_device_is_chosen_and_named():
    assert choose_device("cpu")[0] == "cpu"
    assert choose_device("cpu")[1].startswith("CPU: ")
    device, note = choose_device("auto")
    assert device == ("cuda" if torch.cuda.is_available() else "cpu")
    assert note.startswith("GPU" if torch.cuda.is_available() else "CPU")


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ParameterError, match="no GPU here; use auto or cpu"):
        choose_device("cuda")
    assert "no GPU found" in choose_device("auto")[1]


def test_an_unknown_device_is_refused():
    with pytest.raises(ParameterError, match="not known"):
        choose_device("tpu")
