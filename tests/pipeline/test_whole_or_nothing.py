"""All results arrive together, or nothing does; what is not ours is never replaced."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_vbmd.errors import (
    WriteError,
)
from napari_vbmd.pipeline import RESULTS, run_patient

WRITTEN = set(RESULTS) - {"mask.nii.gz", "curves.png", "curves.svg"}


def contents(folder) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in folder.iterdir()}


@pytest.mark.parametrize("stage", ["read", "segment", "measure", "mask file", "figures"])
def test_a_cancel_at_any_stage_leaves_nothing(scan_path, out, stage):
    def cancel(fraction, message):
        if message.startswith(stage):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_patient(scan_path, out, progress=cancel)
    assert not out.exists()


def test_a_cancel_leaves_an_older_result_as_it_was(scan_path, out):
    run_patient(scan_path, out, slices=(4, 9))
    before = contents(out)

    def cancel(fraction, message):
        if message == "figures":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_patient(scan_path, out, progress=cancel)
    assert contents(out) == before


def test_a_failure_while_files_move_in_leaves_an_older_result_as_it_was(
    scan_path, out, monkeypatch
):
    run_patient(scan_path, out, slices=(4, 9))
    before, rename = contents(out), os.replace

    def failing(source, target):
        if os.path.basename(source) == "report.html" and ".vbmd-" in os.fspath(source):
            monkeypatch.undo()
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(WriteError, match="cannot be written"):
        run_patient(scan_path, out)
    assert contents(out) == before


def test_an_older_result_that_cannot_be_put_back_is_kept_and_the_error_says_where(
    scan_path, out, monkeypatch
):
    run_patient(scan_path, out, slices=(4, 9))
    before, rename = contents(out), os.replace

    def failing(source, target):
        if os.fspath(target) == os.fspath(out / "report.html"):
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(WriteError, match="the older results are now in") as caught:
        run_patient(scan_path, out)
    kept = Path(str(caught.value).split(" now in ")[1]) / "report.html"
    assert kept.read_bytes() == before.pop("report.html")
    assert {name: (out / name).read_bytes() for name in before} == before


def test_an_untouched_older_result_is_replaced_whole(scan_path, out):
    run_patient(scan_path, out, slices=(4, 9))
    before = contents(out)
    run_patient(scan_path, out)
    assert {file.name for file in out.iterdir()} == WRITTEN
    assert contents(out)["mask.aim"] != before["mask.aim"]


@pytest.mark.parametrize("name", ["mask.aim", "measurement.csv", "report.html"])
def test_a_result_that_was_edited_since_is_not_replaced(scan_path, out, name):
    run_patient(scan_path, out)
    (out / name).write_bytes((out / name).read_bytes() + b"corrected by hand")
    before = contents(out)
    with pytest.raises(WriteError, match=rf"{name}: not from an earlier run, or changed since"):
        run_patient(scan_path, out)
    assert contents(out) == before


@pytest.mark.parametrize("stray", ["[]", "not json", '{"outputs": [1]}', '{"outputs": {}}'])
def test_a_foreign_run_json_is_not_replaced(scan_path, out, stray):
    out.mkdir()
    (out / "run.json").write_text(stray)
    if stray == '{"outputs": [1]}':  # it looks like ours; the mask beside it is not
        (out / "mask.aim").write_text("mine")
    with pytest.raises(WriteError, match="not from an earlier run"):
        run_patient(scan_path, out)


def test_an_output_folder_that_is_a_file_is_refused_before_any_work(scan_path, tmp_path):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WriteError, match="is a file"):
            run_patient(scan_path, out, progress=lambda *_: pytest.fail("work had begun"))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_result_never_replaces_the_scan_or_the_experts_mask(scan_path, out):
    run_patient(scan_path, out)
    before = contents(out)
    with pytest.raises(WriteError, match=r"mask\.aim: this is an input"):
        run_patient(scan_path, out, expert=out / "mask.aim")
    assert contents(out) == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_gives_one_line_and_leaves_an_older_result(scan_path, out):
    run_patient(scan_path, out, slices=(4, 9))
    before = contents(out)
    code = (
        "import resource, sys; from napari_vbmd.pipeline import run_patient;"
        "from napari_vbmd.errors import WriteError\n"
        "import napari_vbmd.pipeline\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try: run_patient(*sys.argv[1:])\n"
        "except WriteError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, scan_path, out], capture_output=True, text=True
    )
    assert done.stdout.count("\n") == 1, done.stderr
    assert "the disk is full" in done.stdout
    assert ".vbmd-" not in done.stdout
    assert contents(out) == before


def test_a_stale_mask_of_another_format_does_not_stay(scan_path, shifted_scan, out):
    run_patient(scan_path, out)
    run_patient(shifted_scan, out)
    assert not (out / "mask.aim").exists()
