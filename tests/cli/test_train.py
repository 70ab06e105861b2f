"""The command `train` as people and clusters meet it: killed, interrupted, on two processes."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.isq import write_isq

from .conftest import CALIBRATION

COMMAND = [sys.executable, "-m", "napari_vbmd"]
GRID = Grid((10, 36, 36), (0.246,) * 3)
QUICK = ("--configuration", "unet-3d", "--device", "cpu", "--every", "2")


@pytest.fixture
def study(tmp_path) -> Path:
    """Four rods of four patients; the first is mirrored."""
    rows = []
    for k in range(4):
        y, x = np.mgrid[-18:18, -18:18] + 0.5
        rod = np.zeros(GRID.shape, np.uint8)
        rod[1:9] = np.hypot(y - k, x + k) < 8
        native = np.rint(CALIBRATION.linear("density", "native")(np.where(rod, 700.0, 50.0)))
        write_isq(tmp_path / f"{k}.isq", native.astype(np.int16), GRID.spacing_mm, CALIBRATION)
        write_mask(tmp_path / f"{k}.aim", rod, GRID)
        part = "training" if k < 3 else "validation"
        rows.append((f"{k}.isq", f"{k}.aim", "left" if k == 0 else "right", f"P{k}", part))
    with open(tmp_path / "cases.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("scan", "mask", "side", "patient", "split"))
        writer.writerows(rows)
    return tmp_path / "cases.csv"


def start(study, out, *more) -> subprocess.Popen:
    words = [*COMMAND, "train", study, *QUICK, "--out", out, *more]
    return subprocess.Popen(
        [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rows_of(out: Path) -> list[dict[str, str]]:
    try:
        with open(out / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return []
    for row in rows:
        row.pop("seconds")
    return rows


def wait_for(there, process: subprocess.Popen) -> None:
    """Until something is there; at most as long as a slow machine takes."""
    patience = time.monotonic() + 120
    while not there():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < patience
        time.sleep(0.02)


def test_killed_and_interrupted_it_goes_on_and_ends_as_if_it_had_not_been(study, tmp_path):
    # all in processes of their own: a window's graphics change how this one rounds
    whole, cut, length = tmp_path / "whole", tmp_path / "cut", ("--steps", "8")
    uncut = start(study, whole, *length)

    process = start(study, cut, *length)
    wait_for((cut / "last.ckpt").exists, process)
    process.kill()
    process.communicate()
    killed_at = len(rows_of(cut))
    assert 2 <= killed_at < 8

    process = start(study, cut, *length)
    wait_for(lambda: len(rows_of(cut)) > killed_at, process)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "the same command goes on from there" in error.splitlines()[-1]
    assert len(rows_of(cut)) < 8

    process = start(study, cut, *length, "--json")
    assert json.loads(process.communicate(timeout=120)[0])["ending"] == "finished"
    uncut.communicate(timeout=120)
    assert rows_of(cut) == rows_of(whole)
    assert (cut / "best.pt").read_bytes() == (whole / "best.pt").read_bytes()


def test_two_processes_train_together(study, tmp_path):
    out = tmp_path / "run"
    process = start(study, out, "--steps", "2", "--devices", "2", "--strategy", "ddp", "--json")
    printed, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    record = json.loads(printed)
    assert "2 processes" in record["device"]
    assert record["best"]["step"] == 2
    assert len(rows_of(out)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_one_line_and_leaves_what_was_there(study, tmp_path):
    limit = 300_000  # volumes and weights are smaller, a checkpoint is not
    code = (
        f"import resource, sys; from napari_vbmd.cli import main;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); sys.exit(main())"
    )
    words = [sys.executable, "-c", code, "train", study, *QUICK, "--steps", "2", "--quiet"]
    done = subprocess.run(
        [str(w) for w in (*words, "--out", tmp_path / "run")], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "the disk is full" in done.stderr.splitlines()[-1]
    assert not list((tmp_path / "run").glob("*.part"))
    assert not (tmp_path / "run" / "last.ckpt").exists()


def test_what_is_wrong_is_one_line(study, refuses, tmp_path):
    words = ("train", study, "--steps", 1, "--out", tmp_path / "run", "--configuration")
    refuses(*words, "unet-4d", saying="use unet-2d")
    refuses(*words, "unet-3d", "--preset", "best", saying="use paper, improved")
    refuses("train", tmp_path / "none.csv", *words[2:], "unet-3d", saying="no such file")
    (tmp_path / "1.isq").unlink()
    refuses(*words, "unet-3d", saying="1 row cannot be used: line 3")
    assert not (tmp_path / "run" / "best.pt").exists()


def test_the_encoder_is_downloaded_or_it_is_said_how_to_get_it(
    study, refuses, tmp_path, monkeypatch
):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", offline)
    words = ("train", study, "--device", "cpu", "--out", tmp_path / "run", "--configuration")
    saying = "resnet34-b627a593.pth (83 MB) where there is a network, and give the file"
    refuses(*words, "unet-2d-pretrained", saying=saying)
    refuses(*words, "unet-2d-pretrained", "--encoder", "none.pth", saying="none.pth: no such file")


def test_help_names_every_network_that_can_be_trained():
    from napari_vbmd.cli.train import _NETWORKS
    from napari_vbmd.study.train_settings import TASKS

    assert tuple(TASKS) == _NETWORKS
