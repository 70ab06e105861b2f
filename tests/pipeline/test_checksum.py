"""The scan is hashed beside the other work; the thread never outlives it."""

import hashlib
import threading
import time

import pytest

from napari_vbmd.errors import FileFormatError
from napari_vbmd.io.files import read_scan
from napari_vbmd.pipeline import checksum, run_patient
from napari_vbmd.pipeline.checksum import described_beside


def hashing() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("checksum")]


@pytest.fixture
def endless(monkeypatch):
    """A file that never ends; gives an event that says that hashing has begun."""
    begun = threading.Event()

    def describe(scan, progress):
        while True:
            begun.set()
            progress(0.5, "checksum of the input")
            time.sleep(0.001)

    monkeypatch.setattr(checksum, "describe_file", describe)
    return begun


def test_the_description_is_that_of_the_file(scan_path):
    with described_beside(read_scan(scan_path)) as described:
        found = described(lambda *_: None)
    assert found["sha256"] == hashlib.sha256(scan_path.read_bytes()).hexdigest()
    assert found["bytes"] == scan_path.stat().st_size
    assert not hashing()


def test_it_goes_on_beside_the_work_in_the_block(scan_path, endless):
    with described_beside(read_scan(scan_path)):
        assert endless.wait(10)
    assert not hashing()


def test_the_thread_ends_when_the_work_fails(scan_path, endless):
    with pytest.raises(ZeroDivisionError), described_beside(read_scan(scan_path)):
        raise ZeroDivisionError
    assert not hashing()


def test_waiting_for_it_tells_how_far_it_is_and_can_be_cancelled(scan_path, endless):
    told = []

    def cancel(fraction, message):
        told.append((fraction, message))
        if fraction:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), described_beside(read_scan(scan_path)) as described:
        described(cancel)
    assert told[-1] == (0.5, "checksum of the input")
    assert not hashing()


@pytest.mark.parametrize("stage", ["segment", "measure", "checksum"])
def test_a_cancelled_run_leaves_no_thread(scan_path, out, endless, stage):
    def cancel(fraction, message):
        if message.startswith(stage):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_patient(scan_path, out, progress=cancel)
    assert not hashing()


def test_a_file_that_cannot_be_read_is_named(scan_path, out, monkeypatch):
    def broken(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(checksum, "describe_file", broken)
    with pytest.raises(FileFormatError, match=r"scan\.isq: .*Input/output error"):
        run_patient(scan_path, out)
    assert not out.exists()
    assert not hashing()
