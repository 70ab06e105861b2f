"""Whatever is wrong is one line on stderr and exit status 2."""

import sys

import numpy as np
import pytest

from napari_vbmd.cli import commands
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.itk import write_itk_mask


def test_wrong_use_is_one_line(refuses, scan, mask):
    refuses("measure", scan, saying="required: MASK")
    refuses("measure", scan, mask, "--unit", "mu", saying="--unit")
    refuses("measure", scan, mask, "--label", "x", saying="a label from 1 to 255")
    refuses("segment", "--method", "contour", scan, "o.aim", "--slices", "3-4", saying="FIRST:LAST")
    refuses("segment", "--method", "contour", scan, "o.aim", "--seed", "3,4", saying="Z,Y,X")
    refuses("measure", scan, mask, "--csv", scan, saying="does not end in .csv")
    refuses("frobnicate", saying="invalid choice")


def test_no_command_is_wrong_use_and_help_is_not(cli):
    assert cli()[0] == 2
    assert cli("--help")[0] == 0
    assert cli("--version")[1].startswith("napari-vbmd ")


def test_bad_files_are_one_line(refuses, scan, mask, tmp_path):
    refuses("info", tmp_path / "none.isq", saying="no such file")
    (tmp_path / "magic.isq").write_bytes(bytes(4096))
    refuses("info", tmp_path / "magic.isq", saying="not an ISQ")
    (tmp_path / "short.isq").write_bytes(scan.read_bytes()[:-1000])
    refuses("measure", tmp_path / "short.isq", mask, saying="truncated")
    (tmp_path / "short.aim").write_bytes(mask.read_bytes()[:-10])
    refuses("measure", scan, tmp_path / "short.aim", saying="truncated")
    refuses("measure", scan, scan, saying="not a mask")


def test_a_mask_in_the_place_of_the_scan_is_refused(cli, refuses, mask, tmp_path):
    for words in (
        ["measure", mask, mask],
        ["segment", "--method", "contour", mask, tmp_path / "o.aim"],
        ["run", "--method", "contour", mask, "--out", tmp_path / "r"],
    ):
        refuses(*words, saying="mask.aim: an AIM of binary compressed, so a mask and not a scan")
    assert cli("info", mask)[0] == 0


def test_a_scan_without_calibration_names_the_options_that_mend_it(refuses, grid, mask, tmp_path):
    plain = tmp_path / "plain.nii.gz"
    write_itk_mask(plain, np.ones(grid.shape, np.uint8), grid)
    for words in (
        ["measure", plain, mask],
        ["run", "--method", "contour", plain, "--out", tmp_path / "r"],
    ):
        refuses(*words, saying="--mu-scaling, --slope, --intercept")
    refuses("measure", plain, mask, "--unit", "hu", saying="--mu-water")


def test_masks_that_do_not_fit_are_one_line(refuses, bone, grid, scan, tmp_path):
    write_mask(tmp_path / "fine.nii.gz", bone, Grid(grid.shape, (0.1, 0.1, 0.1)))
    refuses("measure", scan, tmp_path / "fine.nii.gz", saying="voxel sizes differ")
    write_mask(tmp_path / "far.nii.gz", bone, Grid(grid.shape, grid.spacing_mm, (0, 500, 0)))
    refuses("measure", scan, tmp_path / "far.nii.gz", saying="does not overlap")
    write_mask(tmp_path / "empty.aim", bone * 0, grid)
    refuses("measure", scan, tmp_path / "empty.aim", saying="empty.aim: no voxel")


def test_parameters_that_make_no_sense_are_one_line(refuses, scan, tmp_path):
    out = tmp_path / "o.aim"
    refuses(
        "segment", "--method", "contour", scan, out, "--slices", "3:99", saying="slices 0 to 15"
    )
    refuses("segment", "--method", "contour", scan, out, "--threshold", "nan", saying="threshold")
    refuses("segment", "--method", "contour", scan, out, "--seed", "99,0,0", saying="seed")
    refuses("segment", "--method", "contour", scan, out, "--threshold", "5000", saying="lower")
    refuses(
        "segment",
        "--method",
        "contour",
        scan,
        out,
        "--method",
        "magic",
        saying="use one of contour",
    )
    refuses(
        "segment", "--method", "contour", scan, out, "--weights", "w.pt", saying="has no network"
    )
    assert not out.exists()


def test_outputs_are_checked_before_any_work(refuses, scan, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "napari_vbmd.pipeline.mask.segment", lambda *_: pytest.fail("work had begun")
    )
    refuses(
        "segment",
        "--method",
        "contour",
        scan,
        tmp_path / "o.txt",
        saying="choose one of these endings",
    )
    refuses(
        "segment", "--method", "contour", scan, tmp_path / "none" / "o.aim", saying="does not exist"
    )
    (tmp_path / "file").touch()
    refuses("run", "--method", "contour", scan, "--out", tmp_path / "file", saying="is a file")


def test_the_scan_is_never_written_over(refuses, bone, grid, tmp_path):
    scan = tmp_path / "scan.nii.gz"
    write_itk_mask(scan, bone * 250, grid)
    before = scan.read_bytes()
    refuses(
        "segment",
        "--method",
        "contour",
        scan,
        scan,
        "--unit",
        "density",
        saying="this is the scan itself",
    )
    assert scan.read_bytes() == before


def test_a_mask_between_voxels_cannot_become_an_aim(refuses, bone, grid, tmp_path):
    scan = tmp_path / "shifted.nii.gz"
    write_itk_mask(scan, bone, Grid(grid.shape, grid.spacing_mm, (0.5, 0, 0)))
    refuses(
        "segment",
        "--method",
        "contour",
        scan,
        tmp_path / "o.aim",
        "--unit",
        "density",
        saying="choose .nii.gz",
    )


def test_too_little_memory_is_one_line(refuses, scan, monkeypatch):
    def exhausted(*_):
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setitem(commands._COMMANDS, "info", exhausted)
    refuses("info", scan, saying="not enough memory (Unable to allocate 9 GiB)")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have a screen")
def test_a_viewer_without_a_screen_is_refused_before_any_work(refuses, tmp_path, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    refuses("demo", "--out", tmp_path / "d", "--viewer", saying="no screen")
    assert not (tmp_path / "d").exists()


def test_a_viewer_without_qt_says_what_to_install(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setitem(sys.modules, "napari_vbmd.plugin.demo", None)  # importing it fails
    status, out, err = cli("demo", "--out", tmp_path / "d", "--viewer", "--quiet")
    assert status == 2
    assert 'pip install "napari-vbmd[all]"' in err
    assert "Tt.vBMD" in out, "the result is shown all the same"
