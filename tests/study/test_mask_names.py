"""Where masks go: one file a case, and never in the place of another file."""

import pytest

from napari_vbmd.study.manifest import read_manifest
from napari_vbmd.study.mask_names import mask_folder, mask_path, saved_mask, stem_of
from napari_vbmd.study.worklist import CORRECTED, Worklist


@pytest.fixture
def worklist(tmp_path):
    """A worklist of these rows, each a scan and a mask."""

    def make(*rows: str) -> Worklist:
        path = tmp_path / "cases.csv"
        path.write_text("\n".join(["scan,mask", *rows]) + "\n", encoding="utf-8")
        return Worklist(read_manifest(path))

    return make


def path_of(worklist, number=0, suffix=".aim", anew=False):
    case = worklist.manifest.cases[number]
    return mask_path(worklist, case, mask_folder(worklist), suffix, anew)


@pytest.mark.parametrize(
    ("name", "stem"),
    [("HAND.ISQ;1", "HAND"), ("a.nii.gz", "a"), ("x.y.AIM", "x.y"), ("series", "series")],
)
def test_a_stem_is_the_name_without_ending_and_version(name, stem):
    assert stem_of(name) == stem


def test_masks_go_beside_the_manifest_and_are_called_after_the_scan(worklist, tmp_path):
    one = worklist("scans/hand.isq,", "ct.nii.gz,")
    assert path_of(one) == tmp_path / "masks" / "hand_mask.aim"
    assert path_of(one, 1, ".nii.gz") == tmp_path / "masks" / "ct_mask.nii.gz"
    assert saved_mask(one, one.manifest.cases[0]) is None


def test_scans_of_one_name_are_told_apart_by_their_folders(worklist):
    one = worklist("p1/hand.isq,", "p2/HAND.ISQ;1,", "../p3/hand.aim,")
    assert [path_of(one, n).name for n in range(3)] == [
        "p1_hand_mask.aim",
        "p2_HAND_mask.aim",
        "p3_hand_mask.aim",
    ]


def test_the_file_of_the_last_time_is_taken_again(worklist, tmp_path):
    one = worklist("hand.isq,", "foot.isq,")
    one.save("hand.isq", status=CORRECTED, annotator="Ann", mask="elsewhere/h.aim")
    assert saved_mask(one, one.manifest.cases[0]) == tmp_path / "elsewhere" / "h.aim"
    assert path_of(one) == tmp_path / "elsewhere" / "h.aim"
    assert path_of(one, 1).parent == tmp_path / "elsewhere", "new ones go to the folder of the last"


def test_beside_the_mask_of_somebody_else_there_is_room(worklist, tmp_path):
    one = worklist("hand.isq,")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "hand_mask.aim").touch()
    one.save("hand.isq", status=CORRECTED, annotator="Bob", mask="masks/hand_mask.aim")
    assert path_of(one, anew=True).name == "hand_mask_2.aim"


def test_a_file_that_is_there_is_never_taken(worklist, tmp_path):
    one = worklist("hand.isq,")
    (tmp_path / "masks").mkdir()
    for name in ("hand_mask.aim", "hand_mask_2.aim"):
        (tmp_path / "masks" / name).touch()
    assert path_of(one).name == "hand_mask_3.aim"


def test_the_manifests_own_masks_are_never_taken(worklist):
    one = worklist("hand.isq,masks/hand_mask.aim")
    assert path_of(one).name == "hand_mask_2.aim"
    one.save("hand.isq", status=CORRECTED, annotator="Ann", mask="masks/hand_mask.aim")
    assert path_of(one).name == "hand_mask_2.aim"


def test_a_file_promised_to_another_case_is_not_taken(worklist):
    one = worklist("hand.isq,", "b/other.isq,")
    one.save("b/other.isq", status=CORRECTED, annotator="Ann", mask="masks/hand_mask.aim")
    assert path_of(one).name == "hand_mask_2.aim"
