"""A manifest from a folder."""

import shutil

import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.study.folder_manifest import write_folder_manifest
from napari_vbmd.study.manifest import read_manifest
from napari_vbmd.study.sources import open_example


def test_scans_are_listed_with_the_mask_that_goes_by_their_name(draw, tmp_path):
    data = tmp_path / "data"
    (data / "more").mkdir(parents=True)
    for name, mask in (
        ("a", "A_MC2.AIM;3"),
        ("b", "more/b.aim"),
        ("ab", None),
        ("c", "more/c.aim"),
    ):
        draw(name)
        scan = data / "more" / f"{name}.isq" if mask and "/" in mask else data / f"{name}.ISQ;1"
        shutil.move(tmp_path / f"{name}.isq", scan)
        if mask:
            shutil.move(tmp_path / f"{name}.aim", data / mask)
    shutil.copy(data / "more" / "c.aim", data / "more" / "c_2.aim")
    found = write_folder_manifest(data, tmp_path / "cases.csv")
    assert (found.scans, found.with_mask, found.with_side) == (4, 2, 0)
    assert [note.split(": ")[1] for note in found.notes if "mask" in note] == [
        "no masks go by its name",
        "2 masks go by its name",
    ]
    cases = {case.name: case for case in read_manifest(tmp_path / "cases.csv").cases}
    assert cases["a.ISQ;1"].mask == data / "A_MC2.AIM;3"
    assert cases["b.isq"].mask == data / "more" / "b.aim"
    assert cases["ab.ISQ;1"].mask is None
    assert cases["c.isq"].mask is None


def test_the_side_is_what_the_header_says(tmp_path):
    from napari_vbmd.phantom.sample import sample_paths

    paths = sample_paths(sample="hand")
    (tmp_path / "data").mkdir()
    shutil.copy(paths.scan, tmp_path / "data" / "hand.isq")
    shutil.copy(paths.expert, tmp_path / "data" / "hand_seg.aim")
    found = write_folder_manifest(tmp_path / "data", tmp_path / "data" / "cases.csv")
    assert found.notes == ()
    (case,) = read_manifest(tmp_path / "data" / "cases.csv").cases
    assert case.side == "left"
    assert open_example(case).mask().any()


@pytest.mark.parametrize("name", ["none", "empty"])
def test_a_folder_without_scans_is_refused(tmp_path, refused, name):
    (tmp_path / "empty").mkdir()
    with refused(FileFormatError, tmp_path / name):
        write_folder_manifest(tmp_path / name, tmp_path / "cases.csv")
    assert not (tmp_path / "cases.csv").exists()
