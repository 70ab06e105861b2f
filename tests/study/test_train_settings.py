"""What a person chooses for a training."""

import math

import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.study.train_settings import TASKS, TrainSettings


@pytest.fixture
def settings(tmp_path):
    return lambda configuration="unet-3d", **more: TrainSettings(tmp_path, configuration, **more)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"configuration": "unet-4d"}, "use unet-2d, unet-2d-pretrained, unet-3d"),
        ({"preset": "best"}, "use paper, improved"),
        ({"configuration": "unet-2d", "encoder": "x.pth"}, "leave the encoder out"),
        ({"steps": 0}, "steps 0"),
        ({"rate": math.nan}, "rate nan"),
        ({"minutes": -1.0}, "minutes -1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, chosen, said):
    with pytest.raises(ParameterError, match=said):
        settings(**chosen)


def test_every_published_network_has_a_task():
    assert set(TASKS) >= {"unet-2d", "unet-2d-pretrained", "unet-3d"}


def test_the_plan_is_the_presets_where_nothing_was_chosen(settings):
    paper = settings("unet-2d", preset="paper").plan()
    assert (paper.rate, paper.batch, paper.steps) == (1e-5, 4, 20_000)
    improved = settings("unet-3d").plan()
    assert (improved.rate, improved.batch, improved.steps, improved.every) == (5e-3, 1, 3000, 100)
    mine = settings(steps=10, every=3, batch=2, rate=0.1, minutes=5.0, workers=2, seed=4).plan()
    assert (mine.steps, mine.every, mine.batch, mine.rate) == (10, 3, 2, 0.1)
    assert (mine.minutes, mine.workers, mine.seed) == (5.0, 2, 4)
