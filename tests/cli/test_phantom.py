"""The command `phantom`: what it writes, what it refuses, and that it writes all or nothing."""

import json

import pytest

from napari_vbmd.io.files import read_mask, read_scan, write_mask
from napari_vbmd.phantom import slabs

SEED = 100_006


@pytest.fixture
def coarse(monkeypatch):
    """A hand so coarse that it takes no time."""
    monkeypatch.setitem(slabs.SIZES, "small", ((0.738,) * 3, (27, 121, 57), 0.1))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "new" / "HAND.ISQ", tmp_path / "new" / "HAND_SEG.AIM"


@pytest.fixture
def folder(out):
    out[0].parent.mkdir()
    return out[0].parent


def test_a_small_hand_is_written_with_its_mask_and_measures_as_it_says(json_of, folder, out):
    said = json_of("phantom", out[0], "--mask", out[1], "--seed", SEED, "--side", "right")
    assert (said["seed"], said["side"], said["synthetic"]) == (SEED, "right", True)
    assert sorted(folder.iterdir()) == sorted(out)
    scan = read_scan(out[0])
    assert list(scan.grid.shape) == said["shape_zyx"] == [80, 362, 170]
    assert scan.side == "right"
    assert scan.is_synthetic
    measured = json_of("measure", *out)
    assert measured["tt_vbmd_mg_cm3"] == pytest.approx(said["scanned_tt_vbmd_mg_cm3"], abs=2e-3)
    assert measured["tt_vbmd_mg_cm3"] == pytest.approx(said["tt_vbmd_mg_cm3"], rel=0.05)
    for key in ("voxels", "slices"):
        assert measured[key] == said[key]
    area = pytest.approx(said["mean_slice_area_mm2"], abs=1e-3)
    assert measured["mean_slice_area_mm2"] == area


@pytest.mark.usefixtures("coarse")
def test_the_same_words_give_the_same_bytes_and_other_words_others(cli, folder, out):
    def written(*words):
        assert cli("phantom", out[0], "--mask", out[1], "--quiet", *words)[0] == 0
        return [path.read_bytes() for path in out]

    first = written()
    assert written() == first
    for words in (("--seed", 5), ("--side", "right"), ("--fingertips", "high")):
        scan, mask = written(*words)
        assert scan != first[0]
        assert mask != first[1]


@pytest.mark.usefixtures("coarse")
def test_people_are_told_what_it_is_and_what_is_right(cli, folder, out):
    status, text, err = cli("phantom", out[0], "--mask", out[1])
    assert status == 0
    assert "not a person" in text
    assert "known Tt.vBMD" in text
    assert str(out[1]) in text
    assert "draw" in err


@pytest.mark.usefixtures("coarse")
def test_the_mask_may_lie_elsewhere_or_be_left_out(cli, folder, out, tmp_path):
    assert cli("phantom", out[0], "--mask", tmp_path / "mask.nii.gz")[0] == 0
    assert read_mask(tmp_path / "mask.nii.gz").voxels.any()
    assert cli("phantom", tmp_path / "alone.isq")[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"new", "mask.nii.gz", "alone.isq"}
    assert list(folder.iterdir()) == [out[0]]


def test_what_cannot_be_written_is_one_line(refuses, folder, out, tmp_path):
    refuses("phantom", tmp_path / "none" / "a.isq", saying="does not exist; make it first")
    refuses("phantom", out[0], "--mask", tmp_path / "none" / "a.aim", saying="does not exist")
    refuses("phantom", tmp_path / "a.aim", saying="written as .isq")
    refuses("phantom", out[0], "--mask", tmp_path / "a.txt", saying="choose one of these endings")
    refuses("phantom", out[0], "--seed", 200_000, saying="100000 to 199999 (tests)")
    refuses("phantom", out[0], "--seed", -1, saying="0 to 99999 (training)")
    refuses("phantom", out[0], "--seed", "x", saying="--seed")
    refuses("phantom", out[0], "--size", "huge", saying="--size")
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("coarse")
def test_a_scan_of_a_person_is_never_written_over_and_a_phantom_is(cli, refuses, scan, tmp_path):
    before = scan.read_bytes()
    refuses("phantom", scan, saying="not a phantom")
    assert scan.read_bytes() == before
    out = tmp_path / "hand.isq"
    assert cli("phantom", out)[0] == cli("phantom", out, "--seed", 7)[0] == 0
    assert json.loads(cli("info", out, "--identify", "--json")[1])["header"][
        "Patient Name"
    ].startswith("PHANTOM 7, NOT A PERSON")


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_what_fails_after_the_scan_leaves_the_older_files_and_nothing_new(
    cli, folder, out, monkeypatch, fault
):
    assert cli("phantom", out[0], "--mask", out[1])[0] == 0
    before = [path.read_bytes() for path in out]

    def fail(path, *rest):
        write_mask(path, *rest)
        raise fault

    monkeypatch.setattr("napari_vbmd.pipeline.phantom.write_mask", fail)
    status, _, err = cli("phantom", out[0], "--mask", out[1], "--seed", 9, "--quiet")
    assert status == (130 if isinstance(fault, KeyboardInterrupt) else 2)
    assert err.count("\n") == 1
    assert [path.read_bytes() for path in out] == before
    assert sorted(folder.iterdir()) == sorted(out)
