"""`napari-vbmd batch` on a manifest of small files."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from napari_vbmd.io.isq import write_isq

COMMAND = [sys.executable, "-c", "import sys; from napari_vbmd.cli import main; sys.exit(main())"]


@pytest.fixture
def manifest(tmp_path, scan, mask):
    path = tmp_path / "cases.csv"
    path.write_text(f"scan,expert,side\n{scan.name},{mask.name},right\n")
    return path


def words(manifest, *more):
    return ["batch", manifest, "--out", manifest.parent / "out", "--method", "contour", *more]


def test_json_is_one_object_and_a_second_call_skips(json_of, manifest):
    content = json_of(*words(manifest))
    assert content["table"].endswith("batch.csv")
    assert (content["patients"], content["done"], content["failed"]) == (1, 1, 0)
    assert content["groups"][0]["voxel size"] == "0.2"
    assert json_of(*words(manifest))["skipped"] == 1


def test_the_table_goes_straight_into_agree_which_warns_of_groups(
    cli, manifest, scan, mask, tmp_path
):
    from napari_vbmd.io.files import read_scan

    for i, spacing in ((2, 0.2), (3, 0.2), (4, 0.19)):
        voxels = read_scan(scan).voxels + i
        calibration = read_scan(scan).calibration
        write_isq(tmp_path / f"{i}.isq", voxels, (spacing,) * 3, calibration)
        if spacing == 0.2:
            manifest.write_text(manifest.read_text() + f"{i}.isq,{mask.name},right\n")
    manifest.write_text(manifest.read_text() + "4.isq,,right\n")
    code, out, _ = cli(*words(manifest))
    assert code == 0
    assert "not to be pooled unseen: the scans differ in voxel size" in out
    assert "group 2: 1 scan: voxel size 0.19" in out
    table = tmp_path / "out" / "batch.csv"
    code, out, err = cli("agree", table, "--out", tmp_path / "agreement")
    assert code == 0, err
    assert "3 pairs" in out
    assert "warning: 2 groups of scans that differ" in err


def test_a_failed_patient_is_status_1_and_its_reason_is_said(cli, manifest):
    manifest.write_text(manifest.read_text() + "gone.isq,,left\n")
    code, out, _ = cli(*words(manifest, "--quiet"))
    assert code == 1
    assert "failed: ../gone.isq: " in out
    assert "no such file; check the name" in out


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--workers", "0"], "0 workers: give a number above zero"),
        (["--workers", "2", "--scheduler", "tcp://x:1"], "not allowed with"),
        (["--method", "unet-3d", "--weights", "none.pt"], "no such weights file"),
        (["--method", "magic"], "not known; use one of"),
    ],
)
def test_wrong_use_is_one_line_and_nothing_is_made(cli, manifest, more, says):
    code, out, err = cli(*words(manifest, *more))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert not (manifest.parent / "out").exists()


def test_the_header_of_one_mask_is_no_slice_range_of_a_cohort(cli, manifest, tmp_path):
    (tmp_path / "header.txt").write_text("x")
    code, _, err = cli(*words(manifest, "--slices", tmp_path / "header.txt"))
    assert code == 2
    assert "columns first_slice and last_slice" in err


def test_help_says_what_the_exit_status_means(cli):
    code, out, _ = cli("batch", "--help")
    assert code == 0
    assert "1 some failed and their rows say why" in " ".join(out.split())


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts differ there")
def test_ctrl_c_is_one_line_and_leaves_a_whole_table(manifest, tmp_path, scan):
    from napari_vbmd.io.files import read_scan

    for i in range(20):
        first = read_scan(scan)
        write_isq(tmp_path / f"{i}.isq", first.voxels + i, (0.2,) * 3, first.calibration)
        manifest.write_text(manifest.read_text() + f"{i}.isq,,right\n")
    process = subprocess.Popen(
        [*COMMAND, *map(str, words(manifest))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    table = tmp_path / "out" / "batch.csv"
    until = time.monotonic() + 60
    while not table.exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "of 21 patients are in" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert table.read_text().splitlines()[1].count("done") == 1
    assert json.loads((tmp_path / "out" / "scan" / "run.json").read_text())["method"] == "contour"
    assert not list((tmp_path / "out").glob("*/.vbmd-*"))
