"""A training in a process of its own; here a stand-in that writes what a training writes."""

import os
import sys

import pytest

from napari_vbmd.errors import FileFormatError, WriteError
from napari_vbmd.plugin import outside_process
from napari_vbmd.plugin.train_process import TrainProcess
from napari_vbmd.study.train_state import is_under_way

STAND_IN = """
import json, sys, time
from pathlib import Path
from filelock import FileLock
out, kind = Path(sys.argv[2]), sys.argv[3]  # after the word “train”
def record(ending):
    content = {"ending": ending, "settings": {"steps": 500}}
    (out / "train.json").write_text(json.dumps(content))
with FileLock(out / ".lock"):
    print(" 40 %  prepare: 2 of 5 volumes", file=sys.stderr, flush=True)
    if kind == "refuse":
        print("napari-vbmd: none.isq: no such file", file=sys.stderr)
        sys.exit(2)
    record("under way")
    for step in range(1, 501):
        rows = "".join(f"{k},{k / 10},0.1,{1 / k}\\n" for k in range(1, step + 1))
        (out / "part").write_text("step,seconds,learning_rate,loss\\n" + rows)
        (out / "part").replace(out / "metrics.csv")
        if kind == "crash" and step == 3:
            raise ZeroDivisionError
        if kind == "finish" and step == 5:
            record("finished")
            sys.exit(0)
        if (out / "stop").exists():
            (out / "stop").unlink()
            record("interrupted")
            sys.exit(130)
        time.sleep(0.05)
"""


@pytest.fixture
def process(qtbot, tmp_path, monkeypatch):
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.setattr(outside_process, "PROGRAM", [sys.executable, str(tmp_path / "stand_in.py")])
    monkeypatch.setattr(outside_process, "LOOK_MS", 50)
    process = TrainProcess()
    yield process
    if process.running:
        with qtbot.waitSignal(process.ended, timeout=20_000):
            process.stop()


def started(process, out, kind="run"):
    process.start([str(out), kind], out)


def test_it_is_followed_to_its_end(process, qtbot, tmp_path):
    states, words = [], []
    process.changed.connect(states.append)
    process.said.connect(lambda fraction, text: words.append((fraction, text)))
    with qtbot.waitSignal(process.ended, timeout=20_000) as ended:
        started(process, tmp_path / "run", "finish")
        assert process.running
    assert ended.args == ["Finished: the weights are best.pt, in the training's folder.", False]
    assert not process.running
    assert states[-1].step == 5
    assert states[-1].ending == "finished"
    assert (0.4, "prepare: 2 of 5 volumes") in words


def test_it_stops_when_it_is_asked(process, qtbot, tmp_path):
    with qtbot.waitSignal(
        process.changed, timeout=20_000, check_params_cb=lambda state: state.step > 2
    ):
        started(process, tmp_path / "run")
    with qtbot.waitSignal(process.ended, timeout=20_000) as ended:
        process.stop()
    how, is_error = ended.args
    assert how.startswith("Stopped after step ")
    assert not is_error


def test_it_outlives_the_window_and_another_one_looks_on(process, qtbot, tmp_path):
    out = tmp_path / "run"
    with qtbot.waitSignal(process.changed, timeout=20_000, check_params_cb=lambda s: s.step > 0):
        started(process, out)
    assert os.getpgid(process._own.pid) != os.getpgid(0), "no Ctrl+C of napari's reaches it"
    process.leave()
    assert is_under_way(out)
    other = TrainProcess()
    other.show(out)
    assert other.running
    with qtbot.waitSignal(other.changed, timeout=20_000):
        pass
    with qtbot.waitSignal(other.ended, timeout=20_000) as ended:
        other.stop()
    assert ended.args[0].startswith("Stopped after step ")
    assert not is_under_way(out)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("refuse", "none.isq: no such file"), ("crash", "did not say why (ZeroDivisionError)")],
)
def test_an_error_is_said_as_it_stands_in_the_log(process, qtbot, tmp_path, kind, said):
    with qtbot.waitSignal(process.ended, timeout=20_000) as ended:
        started(process, tmp_path / "run", kind)
    how, is_error = ended.args
    assert said in how
    assert is_error


def test_a_folder_is_shown_whatever_it_holds(process, tmp_path):
    states = []
    process.changed.connect(states.append)
    process.show(tmp_path / "none")
    assert states[-1].rows == []
    assert not process.running
    (tmp_path / "metrics.csv").write_text("step,seconds,learning_rate,loss\n5,1,0.1,0.5\n")
    process.show(tmp_path)
    assert states[-1].step == 5
    (tmp_path / "train.json").write_text("no JSON")
    with pytest.raises(FileFormatError, match="choose another folder"):
        process.show(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(process, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot be started there"):
        started(process, tmp_path / "file" / "run")
    assert not process.running
