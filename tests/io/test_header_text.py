import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.header_text import read_slice_range

# As the vendor's software writes it; the numbers are made up.
TEXT = """Image data starts at byte offset: 3196
!-------------------------------------------------------------------------------
Volume                        MEZ2_SEG.AIM
AIM Version                                    1.6
!
dim                                  262     242     130
off                                    0       0       0
pos                                  650     712      41
element size in mm                0.0820  0.0820  0.0820
phys dim in mm                   21.4840 19.8440 10.6600
!
Type of data                        char (8 bit)
!-------------------------------------------------------------------------------
Position Slice 1 [um]                               0
"""


@pytest.fixture
def header(tmp_path):
    file = tmp_path / "MEZ2_HEAD.TXT;1"
    file.write_text(TEXT)
    return file


def test_the_slices_run_from_the_position_over_the_size(header):
    assert read_slice_range(header) == (41, 170)


def test_a_position_may_be_negative(header):
    header.write_text(TEXT.replace("     41", "     -3"))
    assert read_slice_range(header) == (-3, 126)


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_other_line_endings_are_read(header, ending):
    header.write_bytes(TEXT.replace("\n", ending).encode())
    assert read_slice_range(header) == (41, 170)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("pos ", "posn", "pos"),
        ("dim  ", "dims ", "dim"),
        ("     130", "", "dim"),
        ("     130", "     x30", "dim"),
        ("     130", "       0", "dim"),
        (TEXT, "", "pos"),
    ],
)
def test_what_says_no_slices_is_refused(header, refused, old, new, key):
    header.write_text(TEXT.replace(old, new, 1))
    with refused(FileFormatError, header, f"lacks a line '{key}'"):
        read_slice_range(header)


def test_a_missing_file_is_refused(tmp_path, refused):
    with refused(FileFormatError, tmp_path / "none.txt", "cannot be opened"):
        read_slice_range(tmp_path / "none.txt")
