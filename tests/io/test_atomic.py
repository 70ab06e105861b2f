import errno

import pytest

from napari_vbmd.errors import WriteError
from napari_vbmd.io.atomic import written_whole


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def write_half(path, error):
    with written_whole(path) as temporary:
        temporary.write_text("half")
        raise error


def test_the_final_name_appears_only_when_the_block_ends(tmp_path):
    path = tmp_path / "result.csv"
    with written_whole(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == tmp_path, "so that renaming never copies"
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["result.csv"]


def test_a_file_that_is_there_is_replaced(tmp_path):
    path = tmp_path / "result.csv"
    path.write_text("old")
    with written_whole(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_block_that_fails_leaves_nothing_and_the_old_file_untouched(tmp_path, error):
    path = tmp_path / "result.csv"
    path.write_text("old")
    with pytest.raises(error):
        write_half(path, error)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.csv"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path, refused):
    with refused(WriteError, tmp_path / "a.csv"), written_whole(tmp_path / "a.csv"):
        pass
    assert names(tmp_path) == []


def test_the_temporary_name_ends_as_asked(tmp_path):
    with written_whole(tmp_path / "m.nii.gz", ".nii.gz") as temporary:
        temporary.touch()
        assert temporary.name.endswith(".nii.gz")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_called_so(tmp_path, refused, number):
    path = tmp_path / "a.csv"
    with refused(WriteError, path, "disk is full"), written_whole(path) as temporary:
        temporary.write_text("half")
        raise OSError(number, "no more")
    assert names(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path, refused):
    path = tmp_path / "absent" / "a.csv"
    with (
        refused(WriteError, path, "absent does not exist; make it first"),
        written_whole(path) as temporary,
    ):
        temporary.write_text("x")


def test_a_path_below_a_file_is_refused(tmp_path, refused):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "a.csv"
    with refused(WriteError, path, "does not exist"), written_whole(path) as temporary:
        temporary.write_text("x")


def test_a_name_that_is_too_long_is_refused(tmp_path, refused):
    path = tmp_path / ("x" * 300)
    with refused(WriteError, path, "cannot be written"), written_whole(path) as temporary:
        temporary.write_text("x")


def test_a_folder_of_that_name_is_not_replaced(tmp_path, refused):
    path = tmp_path / "a.csv"
    path.mkdir()
    with refused(WriteError, path, "cannot be written"), written_whole(path) as temporary:
        temporary.write_text("x")
    assert names(tmp_path) == ["a.csv"]


def test_a_refusal_from_within_passes_as_it_is(tmp_path):
    with pytest.raises(WriteError, match=r"^mine$"):
        write_half(tmp_path / "a.csv", WriteError("mine"))
    assert names(tmp_path) == []
