"""The table of pairs: every bad row is named, and another table has another key."""

import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.study.pair_table import read_pairs


def test_paths_count_from_the_tables_folder(pairs_file, tmp_path):
    pairs = read_pairs(pairs_file(2))
    assert [pair.scan for pair in pairs.rows] == [tmp_path / "s0.isq", tmp_path / "s1.isq"]
    assert pairs.rows[1].mask_1 == tmp_path / "network" / "m1.nii.gz"
    assert pairs.rows[1].mask_2 == tmp_path / "expert" / "m1.aim"
    assert (pairs.rows[0].patient, pairs.sources) == ("p0", ("expert", "network"))


def test_names_are_those_of_the_columns_where_none_are_given(write_pairs, pair_rows):
    pairs = read_pairs(write_pairs([row[:3] for row in pair_rows(1)], ("scan", "mask_1", "mask_2")))
    assert pairs.sources == ("mask_1", "mask_2")
    assert pairs.rows[0].patient == ""


def test_sources_may_stand_in_either_column(write_pairs, pair_rows):
    first, second = pair_rows(2)
    swapped = (second[0], second[2], second[1], second[4], second[3], second[5])
    assert read_pairs(write_pairs([first, swapped])).sources == ("expert", "network")


def test_every_bad_row_is_named_at_once(write_pairs, pair_rows, refused):
    a, b, c, d, e, f = pair_rows(6)
    bad = [
        a,
        (b[0], "network/none.aim", *b[2:]),
        (c[0], "", *c[2:]),
        (d[0], d[1], d[1], *d[3:]),
        (*e[:4], "network", e[5]),
        (*f[:4], "reader", f[5]),
        a,
    ]
    path = write_pairs(bad)
    with pytest.raises(FileFormatError) as caught:
        read_pairs(path)
    assert str(caught.value) == (
        f"{path}: line 3: mask_1 network/none.aim does not exist; line 4: mask_1 is empty; "
        "line 5: the same file twice; line 6: both masks are by network; "
        "line 7: the sources network and reader are not those of the lines before, "
        "expert and network; line 8: the same pair as in line 2"
    )


def test_a_missing_column_and_an_empty_table_are_one_line(write_pairs, refused):
    path = write_pairs([], ("scan", "mask", "patient"))
    with refused(FileFormatError, path, "no column mask_1, mask_2; name the columns"):
        read_pairs(path)
    path = write_pairs([])
    with refused(FileFormatError, path, "no rows under the columns"):
        read_pairs(path)


def test_the_key_is_of_what_the_table_says(write_pairs, pair_rows, tmp_path):
    made = pair_rows(3)
    key = read_pairs(write_pairs(made)).key
    (tmp_path / "again.csv").write_bytes(write_pairs(made).read_bytes().replace(b"\r\n", b"\n"))
    assert read_pairs(tmp_path / "again.csv").key == key, "line ends say nothing"
    assert read_pairs(write_pairs(made[:2])).key != key
    assert read_pairs(write_pairs(made[::-1])).key != key
