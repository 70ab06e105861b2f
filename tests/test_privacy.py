import pytest

from napari_vbmd.privacy import (
    is_identifying,
    names_in,
    public_entries,
    public_value,
    side_words,
    sides_said,
    without_folders,
    without_names,
)


@pytest.mark.parametrize(
    "key", ["Patient Name", "Patient's Name", "PATIENTS NAME", "Patient's ID", "Index Patient"]
)
def test_keys_that_name_a_person(key):
    assert is_identifying(key)


@pytest.mark.parametrize("key", ["Site", "Original file", "Filename", "Patients seen"])
def test_other_keys(key):
    assert not is_identifying(key)


@pytest.mark.parametrize(
    ("name", "mention"),
    [
        ("Doe, Jane", "DOE_JANE"),
        ("Doe^Jane", "doe jane"),
        ("DBQ_152", "dbq-152"),
        ("Müller", "MÜLLER"),
        ("O'Neil", "o neil"),
    ],
)
def test_a_name_is_found_however_it_is_joined(name, mention):
    assert without_names(f"<{mention}>", [name]) == f"<{' ' * len(mention)}>"


@pytest.mark.parametrize(("name", "text"), [("Do", "Do it"), ("Al", "Also"), ("12", "12")])
def test_what_is_no_mention_stays(name, text):
    assert without_names(text, [name]) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("seen by DOE", "seen by    "),
        ("JOHNDOE.GOBJ", "       .GOBJ"),
        ("Doeskin", "   skin"),
        ("van J. John", "    J.     "),
    ],
)
def test_each_part_is_blanked_wherever_it_occurs(text, left):
    assert without_names(text, ["DOE^JOHN van"]) == left


def test_parts_of_longer_words_stay_where_that_is_asked_for():
    assert without_names("doeskin doe", ["Doe"], whole_words=True) == "doeskin    "


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("DK0:[USERS.00004711]JOHNDOE.GOBJ", "JOHNDOE.GOBJ"),
        ("from dk0:[a.][b.c]x.isq;1 to [d]y.aim", "from x.isq;1 to y.aim"),
        ("DK0:<A.B>X.ISQ", "X.ISQ"),
        ("DK0:[A.B]", ""),
        ("Energy [V] 60000", "Energy [V] 60000"),
        ('{"seed_zyx": [1, 2], "a":[3]}', '{"seed_zyx": [1, 2], "a":[3]}'),
        ("12:30:05", "12:30:05"),
    ],
)
def test_device_and_folder_go_from_every_vms_path(text, left):
    assert without_folders(text) == public_value("Remark", text) == left


def test_the_words_for_the_side_are_not_the_name():
    assert side_words("DOE JOHN LEFT HAND") == "LEFT HAND"
    assert public_value("Patient Name", "DOE JOHN LEFT HAND") == "LEFT HAND"
    (name,) = names_in([("Patient Name", "DOE JOHN LEFT HAND"), ("Site", 4)])
    assert without_names("left hand of Doe", [name]) == "left hand of    "
    assert sides_said("Left hand, not the RIGHT HAND") == {"left", "right"}
    assert names_in([("Patient Name", "PHANTOM 7, NOT A PERSON")]) == []


def test_a_header_loses_the_name_in_its_other_values_too():
    header = {"Patient Name": "Doe^John", "Remark": "john came", "Site": 4, "F": "D:[DOE]A.ISQ"}
    assert public_entries(header) == {"Remark": "     came", "Site": 4, "F": "A.ISQ"}
