from pathlib import Path

import pytest

from napari_vbmd.errors import FileFormatError, ParameterError
from napari_vbmd.io.aim_write import write_aim_mask
from napari_vbmd.io.contour_script import check_masks, to_contours, to_masks

SHORT = 0x20002


@pytest.fixture
def masks(tmp_path, mask, grid):
    files = [tmp_path / name for name in ("hand_1.aim", "HAND_2.AIM;3")]
    for file in files:
        write_aim_mask(file, mask, grid)
    return files


def test_names_are_those_of_the_scanner(masks):
    assert check_masks(masks) == ["HAND_1", "HAND_2"]


def test_predictions_become_contours_one_after_the_other():
    lines = to_contours(["A", "B"]).splitlines()
    assert lines[0].startswith("$! ")
    assert lines[-1] == "$ EXIT"
    assert lines.count("$ ipl") == lines.count("quit") == 2
    first = [line.split() for line in lines[2 : lines.index("quit")]]
    assert [words[0] for words in first if words[0].startswith("/")] == [
        "/read",
        "/convert_to_type",
        "/togobj_from_aim",
    ]
    assert ["-filename", "A.AIM"] in first
    assert ["-type", "char"] in first
    assert ["-gobj_filename", "A.GOBJ"] in first
    assert "  -gobj_filename             B.GOBJ" in lines


def test_each_step_takes_what_the_one_before_made():
    options = [line.split() for line in to_contours(["A"]).splitlines()]
    made = [w[1] for w in options if w[0] in ("-name", "-output")]
    used = [w[1] for w in options if w[0] == "-input"]
    assert used == made


def test_contours_become_masks_with_their_text_headers():
    lines = to_masks(["A"]).splitlines()
    assert [line for line in lines if line.startswith("/")] == [
        "/gobj_to_aim",
        "/write_part mask A_HEAD.TXT header binary",
        "/write",
    ]
    assert "  -filename                  A_SEG.AIM" in lines
    assert "  -version_020               true" in lines


def test_the_page_on_the_round_trip_shows_what_is_written():
    page = (Path(__file__).parents[2] / "docs" / "contour-round-trip.md").read_text("utf-8")
    lines = to_contours(["HAND_1_PRED"]).splitlines()
    steps = "\n".join(f"    {line}" for line in lines[1:-1])
    assert f"{steps}\n" in page


@pytest.mark.parametrize("script", [to_contours, to_masks])
def test_it_can_go_to_the_folder_first(script):
    assert "$ SET DEFAULT DK0:[MICROCT.DATA]" in script(["A"], "DK0:[MICROCT.DATA]").splitlines()


@pytest.mark.parametrize("folder", ["/home", "DK0:", "DK0:[A]\n$ DELETE *.*;*", "DK0:[A] B", ""])
@pytest.mark.parametrize("script", [to_contours, to_masks])
def test_what_is_no_folder_of_the_scanner_is_refused(script, folder):
    with pytest.raises(ParameterError, match="not a folder as OpenVMS writes it"):
        script(["A"], folder)


@pytest.mark.parametrize("name", ["two words.aim", "a.b.aim", "Müller.aim", "x" * 40 + ".aim"])
def test_a_name_that_the_scanner_cannot_hold_is_refused(tmp_path, masks, refused, name):
    file = masks[0].rename(tmp_path / name)
    with refused(ParameterError, file, "cannot hold this name"):
        check_masks([file])


def test_one_name_twice_is_refused(tmp_path, masks, refused):
    (tmp_path / "other").mkdir()
    other = masks[0].rename(tmp_path / "other" / "HAND_2.aim")
    with refused(ParameterError, other, "comes twice"):
        check_masks([masks[1], other])


def test_a_scan_is_refused(path, build, refused):
    build(path, 20, SHORT, (1, 1, 1), b"\1\0")
    with refused(ParameterError, path, "an AIM of short is a scan"):
        check_masks([path])


def test_what_is_no_aim_is_refused(tmp_path, refused):
    (tmp_path / "m.aim").write_bytes(b"nothing")
    with refused(FileFormatError, tmp_path / "m.aim", "not an AIM"):
        check_masks([tmp_path / "m.aim"])
