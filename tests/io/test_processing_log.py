import pytest

from napari_vbmd.io.aim_header import read_header
from napari_vbmd.io.aim_write import write_aim_mask
from napari_vbmd.io.processing_log import ProcessingLog, as_log, format_log

RULE = "!" + "-" * 79
TEXT = f"""!
! Processing Log
!
{RULE}
Created by                    ISQ_TO_AIM (IPL)                                  \n\
Original file                 dk0:[microct.data.00002195]doe_jane.isq;1
Patient Name                  Doe, Jane                                         \n\
Index Patient                                    2567
! seen by DOE JANE's physician
Procedure:                    D3P_First()
Procedure:                    D3P_Second()
a line without any column
Mu_Scaling                                       8192\r
{RULE}
\0"""


@pytest.fixture
def log():
    return ProcessingLog(TEXT)


def test_nothing_is_lost(log):
    assert "".join(line for line, _, _ in log.lines()) == TEXT
    assert ProcessingLog.from_bytes(TEXT.encode("latin-1")).to_bytes() == TEXT.encode("latin-1")


def test_every_byte_returns():
    data = bytes(range(256)) * 3
    log = ProcessingLog.from_bytes(data)
    assert log.to_bytes() == data
    assert log.map_values(lambda key, value: value).to_bytes() == data


def test_it_is_a_mapping_in_the_order_of_the_lines(log):
    assert list(log)[:3] == ["Created by", "Original file", "Patient Name"]
    assert log["Mu_Scaling"] == "8192"
    assert log["Index Patient"] == "2567"
    assert len(log) == len(dict(log)) == 7
    assert "! Processing Log" not in log


def test_repeated_keys_are_all_there_and_the_last_counts(log):
    assert log.all("Procedure:") == ["D3P_First()", "D3P_Second()"]
    assert log["Procedure:"] == "D3P_Second()"
    assert log.all("Site") == []


def test_what_is_added_comes_behind_all_that_was_there(log):
    longer = log.with_lines({"Created by": "napari-vbmd", "Slices": "3 9"})
    assert longer.text.startswith(TEXT.rstrip("\0"))
    assert longer.all("Created by") == ["ISQ_TO_AIM (IPL)", "napari-vbmd"]
    assert longer["Slices"] == "3 9"
    assert longer.text.endswith(f"{RULE}\n")
    assert log.with_lines({}).text == TEXT


def test_an_empty_log_begins_when_something_is_added():
    assert ProcessingLog().with_lines({"Site": 4}).text == format_log({"Site": 4})


def test_the_public_log_has_the_same_length_and_no_person(log):
    public = log.public()
    assert len(public.text) == len(TEXT)
    assert public["Patient Name"] == public["Index Patient"] == ""
    assert public["Original file"] == "doe_jane.isq;1".replace("doe_jane", "").strip()
    assert "doe" not in public.text.lower()
    assert "2195" not in public.text
    untouched = [line for line, key, _ in log.lines() if key in ("Procedure:", "Mu_Scaling")]
    assert all(line in public.text for line in untouched)


NAMED = """! scanned for john_doe by DK0:[USERS.00004711]ANY.COM
Patient Name                  DOE^JOHN
Patient's Name                DOE^JOHN LEFT HAND
Remark                        John Doe, Doe left hand, max 4
Gobj file                     DK0:[USERS.00004711]JOHNDOE.GOBJ
Other                         NODE"u p"::DK0:[A.][B]X.ISQ;1 and [DOE.X]Y.AIM and [V] 5
DOE was here
Doe                           7
Maximum data value            8
Density: slope                9
"""


def test_no_part_of_the_name_is_left_in_the_public_log_and_no_folder():
    public = ProcessingLog(NAMED).public()
    assert len(public.text) == len(NAMED)
    assert not any(word in public.text.lower() for word in ("doe", "john", "4711", "dk0", "node"))
    assert public["Gobj file"] == ".GOBJ"
    assert public["Other"] == "X.ISQ;1 and Y.AIM and [V] 5"
    assert public["Remark"].split() == [",", "left", "hand,", "max", "4"]
    assert public["Patient's Name"] == "LEFT HAND"
    assert "ANY.COM" in public.text


def test_keys_of_which_a_name_is_a_part_stay():
    text = NAMED.replace("DOE^JOHN", "Max^Dens").replace("Doe ", "Max ")
    public = ProcessingLog(text).public()
    assert public["Maximum data value"] == "8"
    assert public["Density: slope"] == "9"
    assert "Max" not in public


def test_a_log_is_made_from_text_or_entries():
    assert as_log(TEXT).text == TEXT
    assert dict(as_log({"Site": 4})) == {"Site": "4"}
    assert as_log({}).text == as_log("").text == ""


def test_a_log_that_is_written_again_is_the_same_to_the_byte(tmp_path, mask, grid, real_data):
    log = read_header(real_data / "test_aim.AIM").log
    write_aim_mask(tmp_path / "m.aim", mask, grid, ProcessingLog.from_bytes(log))
    assert read_header(tmp_path / "m.aim").log == log
