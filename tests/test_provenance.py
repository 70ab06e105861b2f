"""What a run rests on is written down, and nothing that names a person or a machine."""

import getpass
import hashlib
import json
import math
import platform
import sys

import numpy as np
import pytest

from napari_vbmd import __version__, provenance
from napari_vbmd.grid import Grid
from napari_vbmd.scan import Scan


def scan_at(path=None, header=None) -> Scan:
    return Scan(np.zeros((1, 2, 3)), "native", Grid((1, 2, 3), (1, 1, 1)), None, header or {}, path)


def test_versions_name_python_this_package_and_what_computes():
    versions = provenance.software_versions()
    assert versions["napari-vbmd"] == __version__
    assert versions["numpy"] == np.__version__
    assert versions["python"] == platform.python_version()
    assert {"scipy", "scikit-image", "SimpleITK"} <= versions.keys()


def test_the_hash_of_a_file_is_its_sha256_whatever_the_block(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "_BLOCK", 7)
    file = tmp_path / "x.isq"
    file.write_bytes(bytes(range(100)))
    assert provenance.file_hash(file) == hashlib.sha256(bytes(range(100))).hexdigest()


def test_the_hash_of_a_folder_is_over_its_files_in_the_order_of_their_names(tmp_path):
    for name, content in (("2.dcm", b"second"), ("1.dcm", b"first")):
        (tmp_path / name).write_bytes(content)
    assert provenance.file_hash(tmp_path) == hashlib.sha256(b"firstsecond").hexdigest()


@pytest.mark.parametrize(
    ("name", "line"), [("x.mhd", "ElementDataFile = x.raw"), ("x.nhdr", "data file: x.raw")]
)
def test_a_detached_header_counts_together_with_its_voxels(tmp_path, name, line):
    header = f"first line\n{line}\n".encode()
    (tmp_path / name).write_bytes(header)
    (tmp_path / "x.raw").write_bytes(b"voxels")
    assert provenance.file_hash(tmp_path / name) == hashlib.sha256(header + b"voxels").hexdigest()


def test_hashing_reports_progress_up_to_the_end_and_can_be_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "_BLOCK", 10)
    file = tmp_path / "x"
    file.write_bytes(bytes(40))
    seen = []
    provenance.file_hash(file, lambda fraction, message: seen.append(fraction))
    assert seen == [0.25, 0.5, 0.75, 1.0]

    def cancel(fraction, message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        provenance.file_hash(file, cancel)


def test_a_file_is_described_by_its_name_without_the_folder(tmp_path):
    file = tmp_path / "SMITH_JOHN" / "scan.isq"
    file.parent.mkdir()
    file.write_bytes(b"12345")
    described = provenance.describe_file(scan_at(file))
    assert (described["name"], described["bytes"]) == ("scan.isq", 5)
    assert "SMITH" not in json.dumps(described)


def test_voxels_that_came_from_no_file_have_no_hash():
    assert provenance.describe_file(scan_at())["sha256"] is None


def test_the_machine_is_described_by_size_and_kind_only():
    described = provenance.machine()
    assert described["cores"] >= 1
    assert set(described) == {"cores", "memory_bytes", "platform"}
    assert platform.node() not in described["platform"].split()
    assert getpass.getuser() not in described["platform"].split()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak this way")
def test_the_peak_memory_is_at_least_what_is_held_now():
    block = np.ones(1 << 24, np.uint8)
    assert provenance.peak_memory_bytes() > block.nbytes


def test_a_command_keeps_no_folder():
    words = [
        "napari-vbmd",
        "run",
        "/data/Smith John/x.isq",
        "--out=C:\\Smith\\out",
        "--expert",
        "a/",
    ]
    assert provenance.public_command(words) == "napari-vbmd run x.isq --out=out --expert a"
    assert provenance.public_command(["--slices", "3:40"]) == "--slices 3:40"


def test_a_command_does_not_name_the_folder_of_a_dicom_series():
    words = ["run", "/a/DOE_JOHN/", "--expert=b/DOE_JOHN", "--out", "c"]
    assert provenance.public_command(words, ["DOE_JOHN"]) == (
        "run DICOM-series --expert=DICOM-series --out c"
    )


def test_json_never_holds_nan():
    text = provenance.as_json({"a": math.nan, "b": [1.5, math.inf], "c": (None, "nan")})
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": None,
        "b": [1.5, None],
        "c": [None, "nan"],
    }


def test_a_record_says_what_was_run_on_what_and_how_long_it_took():
    record = provenance.run_record(
        scan={"name": "x.isq"},
        expert=None,
        method="contour",
        parameters={"threshold_mg_cm3": 220.0},
        slices=(3, 9),
        post_processing={},
        seconds={"read": 0.12345},
        command=["napari-vbmd", "run", "/secret/x.isq"],
    )
    assert record["slices"] == {"first": 3, "last": 9}
    assert record["seconds"] == {"read": 0.123}
    assert (record["weights"], record["device"]) == (None, "cpu")
    assert record["date_utc"].endswith("+00:00")
    assert "secret" not in provenance.as_json(record)
