"""CSV files as spreadsheets of several countries save them."""

import pytest

from napari_vbmd.errors import FileFormatError, WriteError
from napari_vbmd.study.csv_rows import Row, read_rows, write_rows


@pytest.fixture
def file(tmp_path):
    def write(text: str | bytes):
        path = tmp_path / "cases.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_country_and_system_is_read_alike(file, separator, mark, end):
    lines = [f"scan{separator}note", f"a.isq{separator} two words ", ""]
    columns, rows = read_rows(file(mark + end.join(lines)))
    assert columns == ("scan", "note")
    assert rows == [Row(2, {"scan": "a.isq", "note": "two words"}, False)]


def test_rows_know_their_line_behind_empty_ones_and_line_breaks_in_quotes(file):
    _, rows = read_rows(file('scan,note\n\na.isq,"one\ntwo"\n,\nb.isq,\n'))
    assert [(row.line, row.cells["scan"]) for row in rows] == [(4, "a.isq"), (6, "b.isq")]


def test_a_short_row_is_filled_and_a_long_one_is_marked(file):
    _, rows = read_rows(file("scan,mask\na.isq\nb.isq,m.aim,more\nc.isq,m.aim,\n"))
    assert [row.cells.get("mask") for row in rows] == ["", "m.aim", "m.aim"]
    assert [row.is_too_long for row in rows] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no columns"),
        (b"scan,scan\na,b\n", "occur twice: scan"),
        ("scan\nhänd.isq\n".encode("latin-1"), "UTF-8"),
        (b'scan\n"a.isq\n', "line 2: not CSV"),
    ],
)
def test_what_is_no_csv_is_refused_in_one_line(file, refused, content, says):
    path = file(content)
    with refused(FileFormatError, path, match=says):
        read_rows(path)


def test_a_missing_file_is_named(tmp_path, refused):
    with refused(FileFormatError, tmp_path / "no.csv", match="no such file"):
        read_rows(tmp_path / "no.csv")


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "out.csv"
    write_rows(path, ["scan", "note"], [{"scan": 'a,"b".isq'}, {"scan": "c", "note": "über"}])
    columns, rows = read_rows(path)
    assert columns == ("scan", "note")
    assert [row.cells for row in rows] == [
        {"scan": 'a,"b".isq', "note": ""},
        {"scan": "c", "note": "über"},
    ]


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "out.csv"
    write_rows(path, ["scan"], [{"scan": "a"}])

    def rows():
        yield {"scan": "b"}
        raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match="disk is full"):
        write_rows(path, ["scan"], rows())
    assert path.read_text(encoding="utf-8") == "scan\na\n"
    assert list(tmp_path.iterdir()) == [path]
