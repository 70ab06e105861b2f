"""A manifest: what its rows mean, and every bad row named at once."""

import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.study.manifest import key_of, read_manifest


@pytest.fixture
def manifest(tmp_path):
    def write(text: str):
        path = tmp_path / "cases.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_full_row_is_read(manifest, tmp_path):
    path = manifest(
        "scan,mask,expert,side,patient,age,sex,motion_grade,first_slice,last_slice,scanner\n"
        "p1/a.isq,m/a.aim,e/a.aim,Left,007,54.5,F,2,10,80,XCT\n"
    )
    manifest = read_manifest(path)
    (case,) = manifest.cases
    assert manifest.folder == tmp_path
    assert (case.key, case.name, case.line) == ("p1/a.isq", "a.isq", 2)
    assert (case.scan, case.mask, case.expert) == (
        tmp_path / "p1" / "a.isq",
        tmp_path / "m" / "a.aim",
        tmp_path / "e" / "a.aim",
    )
    assert (case.side, case.patient, case.age, case.sex) == ("left", "007", 54.5, "F")
    assert (case.motion_grade, case.slices) == (2, (10, 80))
    assert case.other == {"scanner": "XCT"}, "unknown columns are kept"


def test_only_the_scan_is_needed(manifest):
    (case,) = read_manifest(manifest("scan\na.isq\n")).cases
    given = (case.mask, case.expert, case.side, case.patient, case.age, case.sex)
    assert given == (None,) * 6
    assert (case.motion_grade, case.slices, case.other) == (None, None, {})


def test_files_need_not_be_there(manifest):
    assert not read_manifest(manifest("scan\nnowhere/a.isq\n")).cases[0].scan.exists()


def test_an_absolute_path_stays_absolute(manifest, tmp_path):
    scan = tmp_path.parent / "b.isq"
    assert read_manifest(manifest(f"scan\n{scan}\n")).cases[0].scan == scan


@pytest.mark.parametrize("text", ["p1/a.isq", "p1\\a.isq", "./p1/a.isq", "p1//x/../a.isq"])
def test_one_path_has_one_key_however_it_is_written(text):
    assert key_of(text) == "p1/a.isq"


def test_whole_numbers_may_end_in_point_zero(manifest):
    (case,) = read_manifest(
        manifest("scan,motion_grade,first_slice,last_slice\na,3.0,0,12.\n")
    ).cases
    assert (case.motion_grade, case.slices) == (3, (0, 12))


def test_every_bad_row_is_named_with_its_line_in_one_message(manifest):
    path = manifest(
        "scan,side,age,motion_grade,first_slice,last_slice\n"
        "a.isq,left,54,1,0,10\n"
        ",left,,,,\n"
        "b.isq,L,,,,\n"
        "./a.isq,,,,,\n"
        "c.isq,,old,,,\n"
        "d.isq,,,6,,\n"
        "e.isq,,,,x,3\n"
        "f.isq,,,,9,3\n"
        "g.isq,,,,9,\n"
        "h.isq,,nan,2.5,-1,4\n"
        "i.isq,left,54,1,0,10,more\n"
    )
    with pytest.raises(FileFormatError) as caught:
        read_manifest(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.isprintable(), "one line"
    for said in (
        "12 problems",
        "line 3: no scan",
        "line 4: side “L” is not left or right",
        "lines 2, 5: the same scan “a.isq”",
        "line 6: age “old”",
        "line 7: motion grade “6” is not 1 to 5",
        "line 8: first_slice “x” is not a whole number",
        "line 9: first_slice 9 comes after last_slice 3",
        "line 10: last_slice is missing",
        "line 11: age “nan”",
        "line 11: motion grade “2.5”",
        "line 11: first_slice “-1”",
        "line 12: more cells than columns",
    ):
        assert said in message
    assert "line 2:" not in message


@pytest.mark.parametrize(
    ("text", "says"), [("file\na.isq\n", "no column “scan”"), ("scan,mask\n", "no rows")]
)
def test_what_is_no_manifest_is_refused(manifest, refused, text, says):
    path = manifest(text)
    with refused(FileFormatError, path, match=says):
        read_manifest(path)
