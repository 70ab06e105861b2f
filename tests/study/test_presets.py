"""How a network is trained, by name."""

import pytest

from napari_vbmd.segmentation.configurations import CONFIGURATIONS
from napari_vbmd.study.presets import TRAINING_PRESETS

PAPER, IMPROVED = TRAINING_PRESETS["paper"], TRAINING_PRESETS["improved"]


def test_paper_trains_as_published():
    for name, rate, batch in (("unet-2d", 1e-5, 4), ("unet-3d", 1e-4, 1)):
        assert PAPER.rate_of(CONFIGURATIONS[name]) == rate
        assert PAPER.batch_of(CONFIGURATIONS[name]) == batch
    assert (PAPER.optimiser, PAPER.loss) == ("Adam", "Dice")
    assert PAPER.sight.size == (80, 512, 512)
    assert PAPER.sight.unit == "native"
    assert {PAPER.rate_at(step, 100, 1e-5) for step in (0, 50, 99)} == {1e-5}


def test_improved_has_one_cycle():
    rates = [IMPROVED.rate_at(step, 1000, 1.0) for step in range(1000)]
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(1.0, abs=1e-4)
    assert 190 < top < 210
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < rates[-1] < 1e-3
    assert rates[0] == pytest.approx(0.04)


def test_a_training_of_one_step_has_a_rate():
    assert IMPROVED.rate_at(0, 1, 1.0) > 0
