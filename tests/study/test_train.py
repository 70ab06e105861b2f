"""Training from a manifest: what is refused, what is left behind, and that its weights work."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from filelock import FileLock

from napari_vbmd.errors import FileFormatError, ParameterError, WriteError
from napari_vbmd.io.files import read_scan
from napari_vbmd.provenance import as_json
from napari_vbmd.segmentation.methods import segment
from napari_vbmd.segmentation.network_method import NetworkParameters
from napari_vbmd.segmentation.weights_file import read_weights
from napari_vbmd.study.cohort import cohort_of
from napari_vbmd.study.manifest import read_manifest
from napari_vbmd.study.metrics import read_metrics
from napari_vbmd.study.presets import TRAINING_PRESETS
from napari_vbmd.study.sources import open_example
from napari_vbmd.study.stopper import ask_to_stop
from napari_vbmd.study.train import BEST, train
from napari_vbmd.study.train_settings import TrainSettings
from napari_vbmd.study.train_state import TrainState, is_under_way, state_of


@pytest.fixture(autouse=True)
def little_settling(monkeypatch):
    quick = replace(TRAINING_PRESETS["improved"], settling=2)
    monkeypatch.setitem(TRAINING_PRESETS, "improved", quick)


@pytest.fixture
def cohort(draw, manifest_of):
    """Three rods to train on and one to validate on."""
    rows = [
        draw(f"s{k}", radius=7.0 + k, side=("left", "right")[k % 2], patient=f"P{k}", split=part)
        for k, part in enumerate(("training", "training", "training", "validation"))
    ]
    return cohort_of(manifest_of(*rows))


@pytest.fixture
def settings(tmp_path):
    def choose(configuration="unet-3d", out="run", **more):
        chosen = {"steps": 4, "every": 2, "device": "cpu", "cache": tmp_path / "volumes"} | more
        return TrainSettings(tmp_path / out, configuration, **chosen)

    return choose


def test_a_network_is_trained_and_its_weights_segment(cohort, settings):
    chosen = settings(steps=24, every=12, cache=None, rate=2e-2)
    record = train(cohort, chosen, command=["napari-vbmd", "train", "/secret/cases.csv"])
    names = {path.name for path in chosen.out.iterdir()}
    assert names >= {
        "best.pt", "last.ckpt", "metrics.csv", "curves.png", "cohort.csv", "train.json", "volumes",
    }  # fmt: skip
    written = json.loads((chosen.out / "train.json").read_text())
    assert written == json.loads(as_json(record))
    assert (written["ending"], written["step"]) == ("finished", 24)
    assert written["command"] == "napari-vbmd train cases.csv"
    assert written["trained_on"] == "3 scans of 3 patients, preset improved"
    assert "secret" not in json.dumps(written)
    weights = read_weights(chosen.out / "best.pt")
    assert weights.info.held_out_dice == record["best"]["validation_dice"] > 0.6
    assert weights.info.trained_on == "3 scans of 3 patients, preset improved, 24 steps"
    assert (weights.info.preset, weights.info.threshold) == ("improved", 0.5)
    case = cohort.part("validation")[0]
    example, scan = open_example(case), read_scan(case.scan)
    found = segment(scan, "unet-3d", NetworkParameters(weights=weights.path, side="right")).mask
    truth, ours = np.zeros(scan.grid.shape, bool), np.zeros(scan.grid.shape, bool)
    for array, start, part in (
        (truth, example.start, example.mask()),
        (ours, found.grid.position, found.voxels > 0),
    ):
        array[tuple(slice(s, s + n) for s, n in zip(start, part.shape, strict=True))] = part
    assert 2 * (truth & ours).sum() / (truth.sum() + ours.sum()) > 0.6


def test_the_fine_stage_is_trained_and_its_weights_segment(cohort, settings):
    record = train(cohort, settings("unet-2d-fine", steps=6, every=3, batch=2))
    weights = read_weights(settings("unet-2d-fine").out / "best.pt")
    assert weights.info.held_out_dice == record["best"]["validation_dice"] > 0
    assert (weights.info.preset, weights.info.threshold) == ("fine", 0.5)
    scan = read_scan(cohort.part("validation")[0].scan)
    parameters = NetworkParameters(weights=weights.path, side="right", threshold=0.01)
    facts = segment(scan, "unet-2d-fine", parameters, slices=(3, 6)).facts
    assert facts["weights"]["trained_on"] == "3 scans of 3 patients, preset improved, 6 steps"


def test_rows_and_volumes_are_kept_for_the_next_training(cohort, settings, monkeypatch):
    train(cohort, settings())
    monkeypatch.setattr("napari_vbmd.study.whole_hand.open_example", pytest.fail)
    train(cohort, settings(out="other", seed=1))
    with open(settings().out / "cohort.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows] == ["training"] * 3 + ["validation"]
    assert rows[0]["scan"] == "../s0.isq"


def test_more_steps_go_on_from_the_checkpoint(cohort, settings):
    train(cohort, settings())
    told = []
    its_own = cohort_of(read_manifest(settings().out / "cohort.csv"))
    record = train(its_own, settings(steps=6), lambda _, message: told.append(message))
    assert record["step"] == 6
    assert not any("step 4 of" in message or "prepare" in message for message in told)
    assert any("step 6 of 6" in message for message in told)
    assert read_metrics(settings().out)[-1]["step"] == 6


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seed": 1}, "another seed (0, not 1)"),
        ({"batch": 3}, "another batch (1, not 3)"),
        ({"configuration": "unet-2d"}, "another configuration (unet-3d, not unet-2d)"),
    ],
)
def test_a_folder_holds_one_training(cohort, settings, changed, said):
    train(cohort, settings(steps=2))
    with pytest.raises(ParameterError) as caught:
        train(cohort, settings(**changed))
    assert said in str(caught.value)
    assert "choose another folder" in str(caught.value)


def test_another_cohort_is_another_training(cohort, draw, manifest_of, settings):
    train(cohort, settings(steps=2))
    rows = [
        {"scan": f"s{k}.isq", "mask": f"s{k}.aim", "side": "right", "split": part, "patient": k}
        for k, part in enumerate(("training", "training", "validation"))
    ]
    with pytest.raises(ParameterError, match="another cohort; choose another folder"):
        train(cohort_of(manifest_of(*rows, name="other.csv")), settings())


def test_what_makes_no_cohort_is_refused(draw, manifest_of, settings, refused):
    manifest = manifest_of(draw("a", patient="A"))
    with refused(ParameterError, manifest.path, "no scan for validation"):
        train(cohort_of(manifest), settings())
    rows = [draw("a", patient="A", split="training"), draw("b", patient="B", split="validation")]
    manifest = manifest_of(*rows)
    with refused(ParameterError, manifest.path, "copies of one scan"):
        train(cohort_of(manifest), settings())
    manifest = manifest_of(rows[0], rows[1] | {"mask": "none.aim"})
    with pytest.raises(FileFormatError, match="1 row cannot be used: line 3"):
        train(cohort_of(manifest), settings())
    assert not (settings().out / "best.pt").exists()


def test_two_trainings_never_share_a_folder(cohort, settings):
    out = settings().out
    out.mkdir()
    with (
        FileLock(out / ".lock"),
        pytest.raises(ParameterError, match="another training is under way"),
    ):
        train(cohort, settings())


def test_weights_of_somebody_else_are_not_written_over(cohort, settings):
    out = settings().out
    out.mkdir()
    (out / "best.pt").write_bytes(b"theirs")
    with pytest.raises(WriteError, match="choose another folder"):
        train(cohort, settings())
    assert (out / "best.pt").read_bytes() == b"theirs"


def test_a_loss_that_is_no_number_says_what_to_do(cohort, settings):
    with pytest.raises(ParameterError, match=r"no number any more .* lower --rate"):
        train(cohort, settings(rate=1e30))
    record = json.loads((settings().out / "train.json").read_text())
    assert (record["ending"], record["best"]) == ("diverged", None)


def test_the_encoder_begins_where_the_file_says(cohort, settings, tmp_path):
    from napari_vbmd.segmentation.networks import unet_2d

    state = unet_2d(in_channels=3).encoder.state_dict()
    torch.save(state, tmp_path / "resnet34.pth")
    chosen = settings(
        "unet-2d-pretrained", steps=1, rate=1e-9, batch=1, encoder=tmp_path / "resnet34.pth"
    )
    record = train(cohort, chosen)
    assert len(record["encoder"]) == 64
    found = read_weights(chosen.out / "best.pt").tensors["encoder.layer1.0.conv1.weight"]
    torch.testing.assert_close(found.float(), state["layer1.0.conv1.weight"], atol=1e-3, rtol=1e-2)


def test_a_validation_on_fewer_volumes_takes_them_evenly(draw, manifest_of, settings):
    rows = [
        draw(f"s{k}", radius=6.0 + k / 2, patient=f"P{k}", split="validation") for k in range(4)
    ]
    rows.append(draw("t", radius=9.5, patient="T", split="training"))
    record = train(cohort_of(manifest_of(*rows)), settings(steps=1, validation=2))
    assert record["cohort"]["validation"] == 2


def test_a_stop_is_heard_while_scans_are_prepared_and_one_from_before_is_forgotten(
    cohort, settings
):
    chosen = settings()
    chosen.out.mkdir()
    ask_to_stop(chosen.out)

    def stop(_, message):
        if message.startswith("prepare: 2"):
            ask_to_stop(chosen.out)

    with pytest.raises(KeyboardInterrupt, match="those that are ready are kept"):
        train(cohort, chosen, stop)
    assert len(list(chosen.cache.glob("*.image.npy"))) == 2
    assert train(cohort, chosen)["ending"] == "finished"


def test_who_looks_on_knows_how_it_is_doing(cohort, settings):
    chosen, seen = settings(), []
    assert state_of(chosen.out) == TrainState("", {}, [], False)
    assert not is_under_way(chosen.out)

    def look(_, message):
        if message.startswith("train:"):
            seen.append((is_under_way(chosen.out), state_of(chosen.out)))

    train(cohort, chosen, look)
    assert all(under_way for under_way, _ in seen)
    assert (seen[0][1].ending, seen[0][1].steps, seen[0][1].step) == ("under way", 4, 0)
    done = state_of(chosen.out)
    assert not is_under_way(chosen.out)
    assert (done.ending, done.step, done.can_go_on) == ("finished", 4, True)
    assert done.best[0] == pytest.approx(read_weights(chosen.out / BEST).info.held_out_dice, 1e-4)
    assert done.seconds_left == 0
    (chosen.out / "train.json").write_text("[]")
    with pytest.raises(FileFormatError, match="choose another folder"):
        state_of(chosen.out)
