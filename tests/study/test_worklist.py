"""The annotators' record: at once, whole, resumed after changes, and never over somebody else's."""

import threading
from datetime import datetime

import pytest

from napari_vbmd.errors import FileFormatError, WriteError
from napari_vbmd.study import worklist as module
from napari_vbmd.study.csv_rows import read_rows
from napari_vbmd.study.manifest import read_manifest
from napari_vbmd.study.worklist import (
    APPROVED,
    COLUMNS,
    CORRECTED,
    TO_DO,
    ConflictError,
    Record,
    Worklist,
)


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest of these scans, and read it."""

    def write(*scans: str):
        path = tmp_path / "cases.csv"
        path.write_text("\n".join(["scan", *scans]) + "\n", encoding="utf-8")
        return read_manifest(path)

    return write


@pytest.fixture
def worklist(manifest):
    return Worklist(manifest("a.isq", "b.isq", "c.isq"))


@pytest.fixture
def somebody(worklist):
    """Somebody else with the same files."""
    return Worklist(worklist.manifest)


def on_disk(worklist) -> dict[str, dict[str, str]]:
    return {row.cells["scan"]: row.cells for row in read_rows(worklist.path)[1]}


def test_every_case_begins_as_to_do_and_nothing_is_written_yet(worklist, tmp_path):
    assert list(worklist.records.values()) == [Record(scan) for scan in ("a.isq", "b.isq", "c.isq")]
    assert worklist.count(TO_DO) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["cases.csv"]


def test_a_change_is_on_disk_when_it_returns(worklist, tmp_path):
    before = (tmp_path / "cases.csv").read_bytes()
    worklist.save("b.isq", status=CORRECTED, annotator="Ann", mask="m/b.aim", mask_from="by hand")
    rows = on_disk(worklist)
    assert worklist.path == tmp_path / "cases.worklist.csv"
    assert list(rows) == ["a.isq", "b.isq", "c.isq"], "one row a case"
    assert rows["a.isq"]["status"] == TO_DO
    saved = rows["b.isq"]
    assert (saved["status"], saved["annotator"], saved["mask"], saved["mask_from"]) == (
        CORRECTED,
        "Ann",
        "m/b.aim",
        "by hand",
    )
    assert (
        abs((datetime.now().astimezone() - datetime.fromisoformat(saved["saved_at"])).seconds) < 5
    )
    assert (tmp_path / "cases.csv").read_bytes() == before, "the manifest is the user's"


def test_work_is_resumed(worklist):
    worklist.save("b.isq", status=APPROVED, annotator="Ann", minutes=2.5)
    again = Worklist(worklist.manifest)
    assert again.records["b.isq"] == worklist.records["b.isq"]
    assert again.count(APPROVED) == 1


def test_a_manifest_that_was_sorted_and_extended_resumes_right(worklist, manifest):
    worklist.save("b.isq", status=CORRECTED, annotator="Ann")
    later = Worklist(manifest("d.isq", "./b.isq", "a.isq"))
    assert list(later.records) == ["d.isq", "b.isq", "a.isq", "c.isq"]
    assert later.records["b.isq"].status == CORRECTED
    assert (later.count(TO_DO), later.count(CORRECTED)) == (2, 1)
    later.save("a.isq", status=CORRECTED, annotator="Ann")
    assert list(on_disk(later)) == ["d.isq", "b.isq", "a.isq", "c.isq"], "no record is thrown away"


def test_minutes_add_up(worklist):
    worklist.add_minutes("a.isq", 1.25)
    worklist.save("a.isq", minutes=2.0, status=CORRECTED, annotator="Ann")
    worklist.add_minutes("a.isq", 0.5)
    assert on_disk(worklist)["a.isq"]["minutes"] == "3.75"


def test_others_records_are_kept(worklist, somebody):
    somebody.save("a.isq", status=CORRECTED, annotator="Bob")
    worklist.save("b.isq", status=CORRECTED, annotator="Ann")
    rows = on_disk(worklist)
    assert (rows["a.isq"]["annotator"], rows["b.isq"]["annotator"]) == ("Bob", "Ann")
    assert worklist.records["a.isq"].annotator == "Bob", "and are known from then on"


def test_a_record_that_somebody_else_changed_is_not_written_over(worklist, somebody):
    somebody.save("a.isq", status=APPROVED, annotator="Bob", mask="bob.aim")
    before = worklist.path.read_bytes()
    written = []
    with pytest.raises(ConflictError, match=r"a\.isq: Bob saved this case .*approved") as caught:
        worklist.save("a.isq", lambda: written.append(1), status=CORRECTED, annotator="Ann")
    assert worklist.path.read_bytes() == before
    assert written == [], "nor is the mask"
    assert caught.value.theirs.mask == "bob.aim"
    assert str(caught.value).isprintable()


def test_after_a_conflict_was_settled_the_record_may_be_written(worklist, somebody):
    somebody.save("a.isq", status=APPROVED, annotator="Bob", minutes=4)
    with pytest.raises(ConflictError) as caught:
        worklist.save("a.isq", status=CORRECTED, annotator="Ann")
    worklist.settle(caught.value.theirs)
    worklist.save("a.isq", status=CORRECTED, annotator="Ann", minutes=1)
    assert on_disk(worklist)["a.isq"]["annotator"] == "Ann"
    assert on_disk(worklist)["a.isq"]["minutes"] == "5.00"


def test_minutes_are_no_conflict_and_hide_none(worklist, somebody):
    somebody.add_minutes("a.isq", 1)
    worklist.save("a.isq", status=CORRECTED, annotator="Ann", minutes=2)
    assert on_disk(worklist)["a.isq"]["minutes"] == "3.00"
    somebody.add_minutes("a.isq", 1)
    with pytest.raises(ConflictError):
        somebody.save("a.isq", status=APPROVED, annotator="Bob")


def test_reloading_takes_up_what_others_wrote(worklist, somebody):
    somebody.save("a.isq", status=APPROVED, annotator="Bob")
    worklist.reload()
    assert worklist.records["a.isq"].annotator == "Bob"
    worklist.save("a.isq", status=CORRECTED, annotator="Ann")


def test_many_writers_at_once_lose_nothing(worklist):
    def work():
        mine = Worklist(worklist.manifest)
        for _ in range(5):
            mine.add_minutes("a.isq", 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert on_disk(worklist)["a.isq"]["minutes"] == "20.00"


def test_when_the_mask_cannot_be_written_the_record_stays(worklist):
    worklist.save("a.isq", status=CORRECTED, annotator="Ann")
    before = worklist.path.read_bytes()

    def fail():
        raise WriteError("the disk is full")

    with pytest.raises(WriteError, match="disk is full"):
        worklist.save("a.isq", fail, status=APPROVED)
    assert worklist.path.read_bytes() == before
    assert worklist.records["a.isq"].status == CORRECTED


def test_a_failed_write_leaves_the_file_and_the_records_as_they_were(worklist, monkeypatch):
    worklist.save("a.isq", status=CORRECTED, annotator="Ann")
    before = worklist.path.read_bytes()

    def full(*args, **kwargs):
        raise WriteError("cases.worklist.csv: cannot be written: the disk is full")

    monkeypatch.setattr(module, "write_rows", full)
    with pytest.raises(WriteError, match="disk is full"):
        worklist.save("a.isq", status=APPROVED)
    assert worklist.path.read_bytes() == before
    assert worklist.records["a.isq"].status == CORRECTED


def test_somebody_who_writes_for_ever_is_not_waited_for(worklist, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_S", 0.1)
    with worklist._exclusive(), pytest.raises(WriteError, match="somebody else"):
        Worklist(worklist.manifest).add_minutes("a.isq", 1)


def test_columns_of_others_are_kept(worklist):
    worklist.save("a.isq", status=CORRECTED, annotator="Ann")
    lines = worklist.path.read_text(encoding="utf-8").splitlines()
    noted = [lines[0] + ",note", lines[1] + ",look again", *(f"{line}," for line in lines[2:])]
    worklist.path.write_text("\n".join(noted), encoding="utf-8")
    worklist.reload()
    worklist.save("a.isq", status=APPROVED)
    assert on_disk(worklist)["a.isq"]["note"] == "look again"


def test_what_a_spreadsheet_saved_is_read(worklist):
    worklist.save("a.isq", status=CORRECTED, annotator="Ann", minutes=1)
    text = worklist.path.read_text(encoding="utf-8").replace(",", ";")
    worklist.path.write_text("\ufeff" + text, encoding="utf-8")
    assert Worklist(worklist.manifest).records["a.isq"].annotator == "Ann"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a.isq,done,,1,,,", "line 2: status “done” is not to do, corrected, approved"),
        ("a.isq,to do,,long,,,", "line 2: “long” is not a number of minutes"),
        ("a.isq,to do,,inf,,,", "line 2: “inf” is not a number of minutes"),
        (",to do,,1,,,", "line 2: no scan"),
        ("a.isq,to do,,1,,,\n./a.isq,to do,,1,,,", "line 3: “a.isq” a second time"),
    ],
)
def test_a_damaged_record_is_refused_and_never_written_over(worklist, refused, row, says):
    worklist.path.write_text(",".join(COLUMNS) + f"\n{row}\n", encoding="utf-8")
    before = worklist.path.read_bytes()
    with refused(FileFormatError, worklist.path, match=says):
        Worklist(worklist.manifest)
    with refused(FileFormatError, worklist.path, match=says):
        worklist.save("b.isq", status=CORRECTED, annotator="Ann")
    assert worklist.path.read_bytes() == before


def test_another_table_of_that_name_is_refused(worklist, refused):
    worklist.path.write_text("scan,verdict\na.isq,good\n", encoding="utf-8")
    with refused(FileFormatError, worklist.path, match="not a worklist"):
        Worklist(worklist.manifest)


def test_a_file_that_was_taken_away_is_made_again(worklist):
    worklist.save("a.isq", status=CORRECTED, annotator="Ann")
    worklist.path.unlink()
    worklist.save("b.isq", status=CORRECTED, annotator="Ann")
    assert on_disk(worklist)["a.isq"]["status"] == CORRECTED
