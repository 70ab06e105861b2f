"""The words of ``napari-vbmd train`` from a form."""

import pytest

from napari_vbmd.cli.parser import parse
from napari_vbmd.errors import ParameterError
from napari_vbmd.plugin.train_form import TrainForm
from napari_vbmd.study.train_settings import TASKS


@pytest.fixture
def form(qtbot, tmp_path):
    form = TrainForm()
    qtbot.addWidget(form)
    (tmp_path / "cases.csv").write_text("scan\n")
    return form


def test_nothing_is_started_without_manifest_and_folder(form, tmp_path):
    with pytest.raises(ParameterError, match="manifest"):
        form.words()
    form.manifest.pick(tmp_path / "none.csv")
    with pytest.raises(ParameterError, match="manifest"):
        form.words()
    form.manifest.pick(tmp_path / "cases.csv")
    with pytest.raises(ParameterError, match="folder"):
        form.words()


def test_the_words_are_those_of_the_command_line(form, tmp_path):
    form.manifest.pick(tmp_path / "cases.csv")
    form.out.pick(tmp_path / "run")
    form.network.setCurrentText("unet-3d")
    chosen = parse(["train", *form.words()])
    assert (chosen.manifest, chosen.out) == (tmp_path / "cases.csv", tmp_path / "run")
    assert (chosen.configuration, chosen.preset, chosen.steps) == ("unet-3d", "improved", 3000)
    assert (chosen.minutes, chosen.encoder, chosen.workers) == (float("inf"), None, 0)
    form.preset.setCurrentText("paper")
    form.hours.setValue(1.5)
    form.seed.setValue(7)
    form.workers.setValue(3)
    form.device.setCurrentText("cpu")
    chosen = parse(["train", *form.words()])
    assert (chosen.preset, chosen.steps, chosen.minutes) == ("paper", 20_000, 90)
    assert (chosen.seed, chosen.workers, chosen.device) == (7, 3, "cpu")


def test_an_encoder_is_asked_for_where_there_is_one(form, tmp_path):
    form.manifest.pick(tmp_path / "cases.csv")
    form.out.pick(tmp_path / "run")
    form.encoder.pick(tmp_path / "resnet34.pth")
    assert "--encoder" not in form.words()
    form.network.setCurrentText("unet-2d-pretrained")
    assert parse(["train", *form.words()]).encoder == tmp_path / "resnet34.pth"


def test_every_network_and_control_says_what_it_is(form):
    assert [form.network.itemText(k) for k in range(form.network.count())] == list(TASKS)
    for k in range(form.network.count()):
        form.network.setCurrentIndex(k)
        assert len(form.about.text()) > 60
    for widget in (form.network, form.preset, form.steps, form.hours, form.seed, form.workers):
        assert widget.toolTip()


def test_a_training_goes_on_as_it_was_begun(form, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "cohort.csv").write_text("scan\n")
    form.out.pick(tmp_path / "run")
    settings = {"configuration": "unet-3d", "preset": "paper", "steps": 70, "seed": 3, "batch": 2}
    form.take_up(settings | {"rate": 1e-3, "every": 5, "label": None}, tmp_path / "run")
    chosen = parse(["train", *form.words()])
    assert (chosen.configuration, chosen.preset, chosen.steps, chosen.seed) == (
        "unet-3d", "paper", 70, 3,
    )  # fmt: skip
    assert (chosen.batch, chosen.rate, chosen.every, chosen.label) == (2, 1e-3, 5, None)
    assert chosen.manifest == tmp_path / "run" / "cohort.csv"
    form.take_up({}, tmp_path / "new")
    assert parse(["train", *form.words()]).batch is None
