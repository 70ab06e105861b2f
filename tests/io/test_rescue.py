"""Edited masks outlive a crash, and nothing is kept of those that were saved."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from napari_vbmd.errors import FileFormatError, WriteError
from napari_vbmd.grid import Grid
from napari_vbmd.io import rescue as module
from napari_vbmd.io.rescue import SUFFIX, Session, about, discard, left_behind, rescue
from napari_vbmd.scan import Mask

GRID = Grid((20, 60, 70), (0.082, 0.1, 0.12), (-3, 40, 5))


@pytest.fixture
def mask() -> Mask:
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[4:9, 10:30, 20:33] = np.random.default_rng(0).integers(0, 4, (5, 20, 13))
    return Mask(voxels, GRID)


def crash(folder, mask_code: str = "voxels[3:6, 5:9, 5:9] = 1", end: str = "os._exit(9)"):
    """A process that keeps a mask and dies."""
    code = (
        "import os, numpy as np\n"
        "from napari_vbmd.io.rescue import Session\n"
        "from napari_vbmd.grid import Grid\nfrom napari_vbmd.scan import Mask\n"
        "voxels = np.zeros((9, 10, 11), np.uint8)\n"
        f"{mask_code}\n"
        f"Session({str(folder)!r}).keep('m', Mask(voxels, Grid((9, 10, 11), (1, 1, 1))), 's.isq')\n"
        f"{end}"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_what_was_kept_comes_back_to_the_voxel(tmp_path, mask):
    path = Session(tmp_path).keep("a", mask, "HAND.ISQ", "/data/HAND.ISQ")
    back, told = rescue(path)
    np.testing.assert_array_equal(back.voxels, mask.voxels)
    assert back.grid == GRID
    assert (told.scan, told.scan_path, told.name) == ("HAND.ISQ", "/data/HAND.ISQ", mask.name)
    assert about(path) == told
    assert told.when.startswith("20")


def test_an_empty_mask_comes_back_empty(tmp_path):
    empty = Mask(np.zeros(GRID.shape, np.uint8), GRID)
    back, _ = rescue(Session(tmp_path).keep("a", empty))
    assert back.grid == GRID
    assert not back.voxels.any()


def test_a_crash_leaves_the_mask_to_be_found(tmp_path):
    assert crash(tmp_path).returncode == 9
    (path,) = left_behind(tmp_path)
    back, told = rescue(path)
    assert back.voxels.sum() == 3 * 4 * 4
    assert told.scan == "s.isq"
    discard(path)
    assert list(tmp_path.iterdir()) == []


def test_masks_of_a_session_that_lives_are_nobody_elses(tmp_path, mask):
    Session(tmp_path).keep("a", mask)
    assert list(left_behind(tmp_path)) == []


def test_another_process_with_the_number_of_a_dead_one_is_told_apart(tmp_path, mask):
    path = Session(tmp_path).keep("a", mask)
    owner = {"pid": os.getpid(), "started": 12345.0}
    (path.parent / "owner.json").write_text(json.dumps(owner))
    assert list(left_behind(tmp_path)) == [path]


def test_a_mask_that_was_saved_leaves_nothing(tmp_path, mask):
    session = Session(tmp_path)
    session.keep("a", mask)
    session.keep("b", mask)
    session.forget("a")
    assert [file.name for file in session.folder.glob(f"*{SUFFIX}")] == [f"b{SUFFIX}"]
    session.forget("b")
    assert list(tmp_path.iterdir()) == []


def test_the_last_state_counts(tmp_path, mask):
    session = Session(tmp_path)
    session.keep("a", mask)
    mask.voxels[0, 0, 0] = 1
    back, _ = rescue(session.keep("a", mask))
    assert back.voxels[0, 0, 0] == 1
    assert len(list(session.folder.glob(f"*{SUFFIX}"))) == 1


def test_being_killed_while_writing_leaves_the_state_before(tmp_path, mask, monkeypatch):
    session = Session(tmp_path)
    path = session.keep("a", mask)
    before = path.read_bytes()

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.np, "savez_compressed", killed)
    with pytest.raises(KeyboardInterrupt):
        session.keep("a", mask)
    assert path.read_bytes() == before
    assert len(list(session.folder.iterdir())) == 2  # the mask and the owner


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_a_damaged_file_is_one_line(tmp_path, mask, content):
    path = Session(tmp_path).keep("a", mask)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(FileFormatError, match="kept aside"):
        rescue(path)


def test_another_archive_is_no_mask(tmp_path):
    path = tmp_path / f"a{SUFFIX}"
    np.savez(path, other=np.zeros(3))
    with pytest.raises(FileFormatError, match="damaged"):
        rescue(path)


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path, mask, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    session = Session(tmp_path)
    session.keep("a", mask)
    monkeypatch.setattr(module.np, "savez_compressed", full)
    with pytest.raises(WriteError, match="disk is full"):
        session.keep("a", mask)


def test_where_nothing_was_ever_kept_nothing_is_left(tmp_path):
    assert list(left_behind(tmp_path / "none")) == []
