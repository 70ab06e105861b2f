"""The answers as a table: what was written comes back, and what is no answer is refused."""

from dataclasses import replace

import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.study.answers import Answer, as_text, read_answers, write_safely

ONE = Answer(
    1, 3, "s.isq", "p1", "network", "expert", "A", "network", "Ann", 2.5,
    "2026-01-02T03:04:05+01:00", True, "B equal", "a, b", "0123",
)  # fmt: skip
ALL = [
    ONE,
    replace(ONE, order=2, answer="equal", preferred="", blind=False),
    replace(ONE, order=3, answer="skipped", preferred="", seconds=0.0),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "answers.csv"
    write_safely(path, as_text(ALL).encode())
    return path


def test_what_was_written_comes_back(path):
    assert read_answers(path) == ALL
    assert [answer.is_given for answer in ALL] == [True, True, False]


def test_a_spreadsheet_may_have_saved_it(path):
    text = path.read_text().replace('"a, b"', "a").replace(",", ";").replace("yes", "Yes")
    path.write_text(text, encoding="utf-8-sig")
    assert read_answers(path)[1].blind is False


def test_another_table_is_one_line(tmp_path, refused):
    path = tmp_path / "pairs.csv"
    path.write_text("scan,mask_1\na,b\n")
    with refused(FileFormatError, path, "not the answers of a rating"):
        read_answers(path)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("1,3,", "one,3,", "line 2: .*order"),
        ("2.5", "soon", "line 2: .*seconds"),
        (",yes,", ",perhaps,", "line 2: .*blind"),
        (",A,", ",B,", "line 2: answer 'B' and preferred 'network' do not fit"),
        (",A,", ",Z,", "line 2: answer 'Z'"),
    ],
)
def test_a_row_that_is_no_answer_is_named(path, refused, old, new, match):
    path.write_text(path.read_text().replace(old, new, 1))
    with refused(FileFormatError, path, match):
        read_answers(path)
