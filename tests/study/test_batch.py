"""A cohort run as a whole: failures, kills, interruptions, and going on."""

import multiprocessing
import os
import signal
import sys
from dataclasses import replace

import pytest

from napari_vbmd.errors import ParameterError, WriteError
from napari_vbmd.segmentation.contour import ContourParameters
from napari_vbmd.study.agreement import agree_on
from napari_vbmd.study.agreement_columns import choose_columns
from napari_vbmd.study.batch import LOCK, plan, run_batch
from napari_vbmd.study.batch_case import DONE, FAILED, BatchSettings, Outcome
from napari_vbmd.study.local_workers import run_locally
from napari_vbmd.study.result_table import read_table

SETTINGS = BatchSettings("contour", ContourParameters())
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def statuses(batch) -> list[str]:
    return [batch.rows[i]["status"] for i in sorted(batch.rows)]


def kill(name: str) -> bool:
    """Kill the worker of a patient, if there is one."""
    for process in multiprocessing.active_children():
        if process.name == name:
            os.kill(process.pid, signal.SIGKILL)
            return True
    return False


def test_a_cohort_gives_a_folder_a_patient_and_one_table_that_agree_reads(
    draw, manifest_of, out, tmp_path
):
    rows = [draw(str(i), density=500.0 + 100 * i, patient=f"P {i}") for i in range(4)]
    rows.append({"scan": "gone.isq", "mask": "0.aim", "patient": "P 9"})
    said = []
    batch = run_batch(manifest_of(*rows), out, SETTINGS, workers=2, note=said.append)
    assert statuses(batch) == ["done"] * 4 + ["failed"]
    assert batch.failed == {"../gone.isq": f"{tmp_path / 'gone.isq'}: no such file; check the name"}
    assert (out / "P_0" / "report.html").is_file()
    assert not (out / "P_9").exists()
    assert said[0].startswith("memory: up to about 0.4 GB a worker (")

    table = read_table(out / "batch.csv")
    assert table.texts("patient") == ["P 0", "P 1", "P 2", "P 3", "P 9"]
    assert table.texts("mask")[0] == "P_0/mask.aim"
    [tt_vbmd, _area] = [agree_on(table, columns) for columns in choose_columns(table)]
    assert tt_vbmd.agreement.n == 4
    assert [entry.row for entry in tt_vbmd.left_out] == [4]
    assert all(dice > 0.8 for dice in table.numbers("dice")[:4])


def test_what_is_done_is_skipped_by_content_not_by_name(draw, manifest_of, out):
    rows = [draw("a"), draw("b", density=650.0)]
    first = run_batch(manifest_of(*rows), out, SETTINGS)
    draw("b", density=800.0)  # the same name, another scan
    second = run_batch(manifest_of(*rows), out, SETTINGS)
    assert statuses(second) == ["skipped", "done"]
    same, other = ([batch.rows[i]["tt_vbmd_mg_cm3"] for batch in (first, second)] for i in range(2))
    assert same[0] == same[1]
    assert other[1] - other[0] == pytest.approx(150, abs=15)
    assert second.rows[0]["seconds"] > 0, "those of the run that made the results"


@needs_signals
def test_a_patient_whose_worker_is_killed_is_run_again(draw, manifest_of, out):
    rows = [draw("a"), draw("b", density=650.0), draw("c", density=600.0)]
    killed = []

    def progress(_fraction, message):
        if "now b:" in message and not killed and kill("b"):
            killed.append(message)

    batch = run_batch(manifest_of(*rows), out, SETTINGS, workers=2, progress=progress)
    assert killed
    assert statuses(batch) == ["done"] * 3


@needs_signals
def test_a_patient_whose_worker_dies_twice_is_a_row_with_the_reason(draw, manifest_of, out):
    rows = [draw("a"), draw("b", density=650.0), draw("c", density=600.0)]

    def progress(_fraction, message):
        if "now b:" in message:
            kill("b")

    batch = run_batch(manifest_of(*rows), out, SETTINGS, workers=2, progress=progress)
    assert statuses(batch) == ["done", "failed", "done"]
    assert batch.rows[1]["reason"].startswith("its worker died twice (SIGKILL); perhaps out of")
    again = run_batch(manifest_of(*rows), out, SETTINGS)
    assert statuses(again) == ["skipped", "done", "skipped"]


def test_an_interruption_leaves_a_whole_table_no_worker_and_no_rubbish(draw, manifest_of, out):
    rows = [draw("a"), draw("b", density=650.0), draw("c", density=600.0)]

    def progress(_fraction, message):
        if message.startswith("1 of 3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"1 of 3 patients .* the same command goes on"):
        run_batch(manifest_of(*rows), out, SETTINGS, progress=progress)
    assert not multiprocessing.active_children()
    assert read_table(out / "batch.csv").texts("status") == ["done"]
    assert not list(out.glob("*/.vbmd-*"))
    assert statuses(run_batch(manifest_of(*rows), out, SETTINGS)) == ["skipped", "done", "done"]


def test_a_second_batch_in_one_folder_is_refused(draw, manifest_of, out):
    from filelock import FileLock

    out.mkdir()
    with FileLock(out / LOCK), pytest.raises(ParameterError, match="another batch is at work"):
        run_batch(manifest_of(draw("a")), out, SETTINGS)


@pytest.mark.parametrize(
    ("cells", "says"),
    [({"scan": "phantom:7", "side": "left"}, "line 2: “phantom:7” is drawn"), ({}, "0 workers")],
)
def test_what_cannot_be_run_is_said_before_the_work(draw, manifest_of, out, cells, says):
    manifest = manifest_of(cells or draw("a"))
    with pytest.raises(ParameterError, match=says):
        run_batch(manifest, out, SETTINGS, workers=1 if cells else 0)
    assert not out.exists()


def test_a_table_of_something_else_is_not_replaced(draw, manifest_of, out):
    out.mkdir()
    (out / "batch.csv").write_text("name,value\na,1\n")
    with pytest.raises(WriteError, match="not a table of a batch"):
        run_batch(manifest_of(draw("a")), out, SETTINGS)
    assert (out / "batch.csv").read_text() == "name,value\na,1\n"


def test_a_manifest_that_the_table_would_replace_is_refused(draw, manifest_of, tmp_path):
    manifest = manifest_of(draw("a"), name="batch.csv")
    with pytest.raises(ParameterError, match="would replace it"):
        run_batch(manifest, tmp_path, SETTINGS)


def pid_as_reason(case, _progress) -> Outcome:
    """Work that says which process did it; of a case “bad”, that it failed."""
    return Outcome(FAILED if case.name == "bad" else DONE, str(os.getpid()))


def test_a_worker_takes_patient_after_patient_unless_one_failed(manifest_of, draw, out):
    [job] = plan(manifest_of(draw("a")), out, SETTINGS)
    jobs = [replace(job, name=name) for name in ("a", "b", "bad", "c", "d")]
    a, b, bad, c, d = (each.reason for _, each in run_locally(jobs, work=pid_as_reason))
    assert a == b == bad
    assert c == d != bad
