"""What is saved of a case, and when: the rules, without a window."""

import numpy as np
import pytest

from napari_vbmd.errors import EmptyMaskError, ParameterError, WriteError
from napari_vbmd.grid import Grid, place
from napari_vbmd.io.files import read_mask, write_mask
from napari_vbmd.plugin.case_save import Work, save_case
from napari_vbmd.plugin.mask_watch import snapshot
from napari_vbmd.scan import Mask
from napari_vbmd.study.manifest import read_manifest
from napari_vbmd.study.worklist import APPROVED, CORRECTED, TO_DO, ConflictError, Worklist

GRID = Grid((4, 6, 8), (0.1,) * 3)


@pytest.fixture
def worklist(tmp_path):
    (tmp_path / "cases.csv").write_text("scan,mask\nhand.isq,given.aim\n", encoding="utf-8")
    return Worklist(read_manifest(tmp_path / "cases.csv"))


@pytest.fixture
def mask():
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[1:3, 2:4, 2:6] = 1
    return Mask(voxels, GRID)


@pytest.fixture
def save(worklist, mask, tmp_path):
    """Save the case; what is not said is as an annotator has it who only looked."""
    taken = snapshot(mask)

    def run(**said):
        known = {
            "mask": mask,
            "about": {"path": str(tmp_path / "given.aim")},
            "taken": taken,
            "annotator": "Ann",
            "minutes": 0.0,
            "folder": tmp_path / "masks",
            "scan_format": "ISQ",
        }
        work = Work(worklist, worklist.manifest.cases[0], **{**known, **said})
        return save_case(work, lambda fraction, message: None)

    return run


@pytest.fixture
def record(worklist):
    """What is on disk."""
    return lambda: Worklist(worklist.manifest).records["hand.isq"]


@pytest.fixture
def saved_file(tmp_path):
    return tmp_path / "masks" / "hand_mask.aim"


def whole(path) -> np.ndarray:
    """A saved mask on the whole grid."""
    saved = read_mask(path)
    return place(saved.grid, GRID).paste(saved.voxels)


def edit(mask) -> None:
    mask.voxels[0, 0, 0] ^= 1


def test_a_look_writes_nothing(save, worklist, tmp_path):
    save()
    assert not worklist.path.exists()
    assert not (tmp_path / "masks").exists()


def test_a_look_takes_time(save, record):
    save(minutes=1.5)
    assert (record().minutes, record().status, record().annotator) == (1.5, TO_DO, "")


def test_edits_are_written_under_the_status_that_was(save, mask, record, saved_file):
    edit(mask)
    saved = save(minutes=2)
    np.testing.assert_array_equal(whole(saved_file), mask.voxels)
    now = record()
    assert now == saved.record
    assert (now.status, now.annotator, now.minutes) == (TO_DO, "Ann", 2)
    assert (now.mask, now.mask_from) == ("masks/hand_mask.aim", "file: given.aim")
    assert saved.taken.same_as(mask.voxels), "what is on disk is known from then on"


def test_an_edit_that_was_undone_is_none(save, mask, worklist):
    edit(mask)
    edit(mask)
    save()
    assert not worklist.path.exists()


@pytest.mark.parametrize("status", [CORRECTED, APPROVED])
def test_a_mask_that_was_right_as_it_came_gets_a_file_of_its_own(save, status, record, saved_file):
    save(status=status)
    assert saved_file.is_file()
    assert record().status == status


def test_a_second_status_does_not_write_the_mask_again(save, saved_file, record):
    save(status=CORRECTED)
    saved_file.write_bytes(b"seen")
    save(status=APPROVED, annotator="Bob")
    assert saved_file.read_bytes() == b"seen"
    assert (record().status, record().annotator) == (APPROVED, "Bob")
    assert record().mask == "masks/hand_mask.aim"


def test_edits_of_an_approved_mask_make_it_corrected(save, mask, record):
    save(status=APPROVED)
    edit(mask)
    save()
    assert record().status == CORRECTED


def test_edits_of_a_corrected_mask_may_be_approved_with_them(save, mask, record, saved_file):
    save(status=CORRECTED)
    edit(mask)
    save(status=APPROVED)
    assert record().status == APPROVED
    np.testing.assert_array_equal(whole(saved_file), mask.voxels)


def test_a_mask_that_is_not_on_disk_is_saved(save, record):
    save(taken=None, about={"method": "contour"})
    assert record().mask_from == "method: contour"


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({}, "drawn by hand"),
        ({"file": "dropped.aim"}, "file: dropped.aim"),
        ({"rescued from": "2025-01-01 10:00"}, "recovered after a crash"),
        ({"origin": "method: contour", "file": "hand_mask.aim"}, "method: contour"),
        (
            {"method": "unet-3d", "weights": {"file": "w.pt", "sha256": "0123456789abcdef"}},
            "method: unet-3d, weights w.pt (0123456789ab)",
        ),
    ],
)
def test_where_a_mask_came_from_is_said(save, record, about, said):
    save(about=about, taken=None)
    assert record().mask_from == said


def test_an_aim_holds_the_box_of_the_mask_as_the_scanners_do(save, saved_file):
    save(status=CORRECTED)
    saved = read_mask(saved_file).grid
    assert (saved.shape, saved.position) == ((2, 2, 4), (1, 2, 2))


def test_masks_of_other_formats_stay_in_the_scans_frame_and_on_its_grid(save, record, tmp_path):
    save(status=CORRECTED, scan_format="NIfTI")
    assert record().mask == "masks/hand_mask.nii.gz"
    assert read_mask(tmp_path / record().mask).grid.same_as(GRID)


def test_all_was_erased_and_that_is_kept(save, mask, record, tmp_path):
    save(status=CORRECTED)
    mask.voxels[:] = 0
    save()
    assert not whole(tmp_path / record().mask).any()


@pytest.mark.parametrize("status", [CORRECTED, APPROVED])
def test_without_a_mask_a_case_is_not_done(save, mask, status, worklist):
    for said in ({"mask": None, "taken": None}, {"mask": Mask(mask.voxels * 0, GRID)}):
        with pytest.raises(EmptyMaskError, match=f"no mask to call {status}"):
            save(status=status, **said)
    assert not worklist.path.exists()


def test_a_case_may_be_to_do_again_without_a_mask(save, record):
    save(status=CORRECTED)
    save(status=TO_DO, mask=None, taken=None)
    assert (record().status, record().mask) == (TO_DO, "masks/hand_mask.aim")


def test_nobody_saves_without_a_name(save, mask, worklist):
    save(annotator="")
    with pytest.raises(ParameterError, match="Type your name"):
        save(status=CORRECTED, annotator="")
    edit(mask)
    with pytest.raises(ParameterError, match="Type your name"):
        save(annotator="")
    assert not worklist.path.exists()


@pytest.fixture
def theirs(worklist, mask, saved_file):
    """Bob saves the case meanwhile; the content of his file."""
    saved_file.parent.mkdir()
    bob = Worklist(worklist.manifest)
    bob.save(
        "hand.isq",
        lambda: write_mask(saved_file, mask.voxels, GRID),
        status=APPROVED,
        annotator="Bob",
        mask="masks/hand_mask.aim",
    )
    return saved_file.read_bytes()


def test_nothing_of_somebody_elses_is_written_over(save, mask, record, saved_file, theirs):
    edit(mask)
    with pytest.raises(ConflictError, match="Bob saved this case"):
        save(status=CORRECTED)
    assert saved_file.read_bytes() == theirs
    assert record().annotator == "Bob"


def test_beside_theirs_there_is_room(save, mask, record, saved_file, theirs, worklist, tmp_path):
    edit(mask)
    worklist.reload()
    save(anew=True)
    assert saved_file.read_bytes() == theirs
    assert record().mask == "masks/hand_mask_2.aim"
    np.testing.assert_array_equal(whole(tmp_path / record().mask), mask.voxels)


def test_where_the_folder_cannot_be_made_nothing_is_recorded(save, mask, worklist, tmp_path):
    (tmp_path / "masks").write_text("in the way")
    edit(mask)
    with pytest.raises(WriteError, match="masks: the folder for masks cannot be made"):
        save()
    assert not worklist.path.exists()
