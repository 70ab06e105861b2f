"""A blinded rating: the lot, answers on disk at once, going on after a crash, and going back."""

import csv
import json
import subprocess
import sys

import pytest

from napari_vbmd.errors import ParameterError, WriteError
from napari_vbmd.study.pair_table import Pair, PairTable, read_pairs
from napari_vbmd.study.rating import Rating, shuffled


@pytest.fixture
def pairs(tmp_path):
    """A table of so many pairs, without files; the sources stand in either column."""

    def make(count, key="key"):
        names = ("network", "expert")
        rows = [
            Pair(*(tmp_path / f"{i}{c}" for c in "sab"), *names[:: (-1) ** i], f"p{i}", f"s{i}")
            for i in range(count)
        ]
        return PairTable(tmp_path / "pairs.csv", tuple(rows), key)

    return make


@pytest.fixture
def rating(pairs):
    return Rating(pairs(5), "Anna")


@pytest.fixture
def on_disk(tmp_path):
    """The rows of the answers' file, as any program reads them."""

    def read(rater="Anna"):
        with open(tmp_path / f"pairs_answers_{rater}.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read


def lot(showings):
    return [(one.pair.said, one.first_is_a) for one in showings]


def test_same_table_and_rater_give_the_same_lot(pairs):
    assert lot(shuffled(pairs(49), "Anna")) == lot(shuffled(pairs(49), "Anna"))
    assert lot(shuffled(pairs(49), "Anna")) != lot(shuffled(pairs(49), "Ben"))
    assert lot(shuffled(pairs(49), "Anna")) != lot(shuffled(pairs(49, "other"), "Anna"))


def test_the_lot_never_changes_with_a_library(pairs):
    assert lot(shuffled(pairs(4), "Anna")) == [
        ("s0", False),
        ("s2", True),
        ("s1", True),
        ("s3", False),
    ]


@pytest.mark.parametrize("count", [1, 2, 9, 10, 49])
def test_every_pair_comes_once_and_either_source_is_a_equally_often(pairs, count):
    for rater in ("Anna", "Ben", "C"):
        showings = shuffled(pairs(count), rater)
        assert [one.order for one in showings] == list(range(1, count + 1))
        assert sorted(one.pair.said for one in showings) == sorted(f"s{i}" for i in range(count))
        network = sum(one.sources[0] == "network" for one in showings)
        assert abs(network - count / 2) <= 0.5


def test_neither_order_nor_colour_can_be_told_from_the_table(pairs):
    """Over many raters every pair comes everywhere, and its network's mask is A in half of them."""
    lots = [shuffled(pairs(6), f"rater {i}") for i in range(600)]
    for said in ("s0", "s3"):
        found = [next(one for one in showings if one.pair.said == said) for showings in lots]
        assert 240 < sum(one.sources[0] == "network" for one in found) < 360
        assert all(60 < sum(one.order == k for one in found) < 140 for k in range(1, 7))


def test_masks_go_with_their_sources(pairs):
    for one in shuffled(pairs(6), "Anna"):
        masks = {one.pair.name_1: one.pair.mask_1, one.pair.name_2: one.pair.mask_2}
        assert [masks[source] for source in one.sources] == list(one.paths)


def test_each_answer_is_on_disk_at_once(rating, on_disk):
    for number, (answer, one) in enumerate(zip("AB", rating.showings, strict=False), 1):
        rating.give(one.order, answer, 3.14159, "a doubt\nor two")
        rows = on_disk()
        assert len(rows) == number
        row = rows[-1]
        assert (row["order"], row["of"], row["answer"]) == (str(number), "5", answer)
        assert (row["scan"], row["patient"]) == (one.pair.said, one.pair.patient)
        assert (row["a_source"], row["b_source"]) == one.sources
        assert row["preferred"] == one.sources["AB".index(answer)]
        assert (row["rater"], row["seconds"], row["blind"]) == ("Anna", "3.1", "yes")
        assert row["note"] == "a doubt or two"
        assert "+" in row["time"] or "-" in row["time"][10:], "with its time zone"
    rating.give(3, "equal", 1)
    assert on_disk()[-1]["preferred"] == ""


def test_it_goes_on_where_it_was_left_in_the_same_order(rating, pairs):
    rating.give(1, "A", 1)
    rating.give(2, "equal", 1)
    again = Rating(pairs(5), " Anna ")
    assert lot(again.showings) == lot(rating.showings)
    assert (again.answered, again.next().order) == (2, 3)
    assert [again.answer(order) for order in (1, 2, 3)] == ["A", "equal", ""]


KILLED = """
import os, signal, sys
from napari_vbmd.study.rating import Rating
rating = Rating.of(sys.argv[1], "Anna")
for answer in ("A", "B", "equal"):
    rating.give(rating.next().order, answer, 1.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_loses_no_answer(pairs_file, on_disk):
    path = pairs_file(4)
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=120)
    assert done.returncode == -9
    rating = Rating.of(path, "Anna")
    assert [row["answer"] for row in on_disk()] == ["A", "B", "equal"]
    assert rating.next().order == 4


def test_an_answer_given_again_takes_the_place_of_the_first_and_leaves_a_trace(rating, on_disk):
    rating.give(1, "A", 2)
    rating.give(2, "B", 2)
    back = rating.before(3)
    assert back.order == 2
    assert rating.before(2).order == 1
    assert rating.before(1) is None
    rating.give(2, "equal", 1.5)
    rating.give(2, "equal", 1)
    rating.give(2, "A", 1)
    first, second = on_disk()
    assert (second["answer"], second["earlier"], second["seconds"]) == ("A", "B equal", "5.5")
    assert second["preferred"] == rating.showings[1].sources[0]
    assert (first["answer"], first["earlier"]) == ("A", "")
    assert rating.next().order == 3


def test_from_the_end_the_way_back_is_to_the_last_answer(rating):
    for order in range(1, 6):
        rating.give(order, "A", 1)
    assert rating.next() is None
    assert rating.before(None).order == 5


def test_a_broken_pair_is_skipped_with_a_row_that_says_why(rating, pairs, on_disk):
    rating.skip(1, "network/m.aim:\ntruncated")
    assert rating.next().order == 2
    (row,) = on_disk()
    assert (row["answer"], row["preferred"]) == ("skipped", "")
    assert row["note"] == "network/m.aim: truncated"
    again = Rating(pairs(5), "Anna")
    assert (again.next().order, again.answered) == (1, 0), "it is tried again the next time"
    again.give(1, "A", 1)
    assert on_disk()[0]["answer"] == "A"
    assert on_disk()[0]["earlier"] == ""


def test_what_was_answered_stays_answered_when_its_files_break(rating):
    rating.give(1, "A", 1)
    rating.skip(1, "gone")
    assert rating.answer(1) == "A"


def test_the_next_pair_but_this_one_is_what_to_read_ahead(rating):
    assert rating.next(but=1).order == 2
    for order in range(1, 5):
        rating.give(order, "A", 1)
    assert rating.next().order == 5
    assert rating.next(but=5) is None


def test_a_changed_table_is_noticed(rating, pairs):
    rating.give(1, "A", 1)
    with pytest.raises(ParameterError, match=r"pairs\.csv: changed since pairs_answers_Anna\.csv"):
        Rating(pairs(5, "other"), "Anna")
    assert Rating(pairs(5, "other"), "Anna 2").answered == 0


def test_a_table_that_was_edited_by_hand_is_noticed(rating, pairs):
    rating.give(1, "A", 1)
    whole = rating.path.read_text()
    for old, new, match in (
        ("1,5,", "2,5,", "pair 2 is not the one that was shown"),
        (",Anna,", ",Ben,", "the answers of Ben"),
        (",A,", ",B,", "edited by hand"),
    ):
        rating.path.write_text(whole.replace(old, new, 1))
        with pytest.raises(ValueError, match=match):
            Rating(pairs(5), "Anna")


def test_two_windows_do_not_write_over_each_other(rating, pairs, on_disk):
    other = Rating(pairs(5), "Anna")
    rating.give(1, "A", 1)
    with pytest.raises(ParameterError, match="another program changed it meanwhile"):
        other.give(1, "B", 1)
    assert [row["answer"] for row in on_disk()] == ["A"]
    assert other.next().order == 1, "the answer was not taken"


def test_an_answer_that_cannot_be_written_is_not_taken(rating, monkeypatch):
    rating.give(1, "A", 1)
    before = rating.path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WriteError, match="disk is full"):
        rating.give(2, "A", 1)
    assert rating.path.read_bytes() == before
    assert rating.next().order == 2
    monkeypatch.undo()
    rating.give(2, "B", 1)
    assert rating.next().order == 3


@pytest.mark.parametrize("rater", ["", "  ", "../x", "a/b", "=1", "-"])
def test_a_rater_needs_a_name_that_a_file_can_have(pairs, rater):
    with pytest.raises(ParameterError, match="give a name or initials"):
        Rating(pairs(2), rater)


def test_an_answer_is_one_of_three(rating):
    with pytest.raises(ParameterError, match="not one of A, equal, B"):
        rating.give(1, "C", 1)


def test_after_the_summary_answers_are_not_blind(rating, pairs, on_disk):
    rating.give(1, "A", 1)
    assert rating.is_blind
    assert rating.summary().rated == 1
    content = json.loads(rating.summary_path.read_text())
    assert content["rater"] == "Anna"
    rating.give(2, "A", 1)
    again = Rating(pairs(5), "Anna")
    again.give(3, "B", 1)
    assert [row["blind"] for row in on_disk()] == ["yes", "no", "no"]
    assert again.summary().rated == 1


def test_names_that_a_spreadsheet_takes_for_formulas_come_back(tmp_path):
    rows = tuple(Pair(*(tmp_path / c for c in "sab"), "=x", "-y", "+p", f"@s{i}") for i in (0, 1))
    pairs = PairTable(tmp_path / "pairs.csv", rows, "key")
    rating = Rating(pairs, "Anna")
    rating.give(1, "A", 1)
    assert Rating(pairs, "Anna").summary().preferences.keys() == {"=x", "-y"}


def test_a_whole_rating_from_its_files(pairs_file):
    path = pairs_file(3)
    rating = Rating.of(path, "Anna")
    assert rating.pairs == read_pairs(path)
    while (one := rating.next()) is not None:
        rating.give(one.order, "AB"[one.sources.index("network")], 1)
    assert rating.summary().preferences["network"].preferred == 3
