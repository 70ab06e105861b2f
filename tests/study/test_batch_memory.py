"""Memory of a patient, from headers; workers that it suffices for."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vbmd.segmentation.contour import ContourParameters
from napari_vbmd.segmentation.network_method import NetworkParameters
from napari_vbmd.study import batch_memory
from napari_vbmd.study.batch_case import BatchCase, BatchSettings
from napari_vbmd.study.batch_memory import affordable_workers, largest, memory_text, needed_bytes

GB = 10**9
CONTOUR = BatchSettings("contour", ContourParameters())
UNET_3D = BatchSettings("unet-3d", NetworkParameters())


@pytest.fixture
def case_of(tmp_path):
    def make(name, settings=CONTOUR, slices=None):
        return BatchCase(name, tmp_path / name, None, tmp_path / "o", None, slices, settings)

    return make


@pytest.fixture
def free(monkeypatch):
    return lambda size: monkeypatch.setattr(batch_memory, "available_memory", lambda: size)


@pytest.fixture
def full(tmp_path):
    """A scan of full size that takes no disk: its header, and a hole."""
    from napari_vbmd.io.isq import write_isq
    from napari_vbmd.phantom.bone import CALIBRATION

    write_isq(tmp_path / "full.isq", np.zeros((1, 1536, 1536), np.int16), (0.082,) * 3, CALIBRATION)
    with open(tmp_path / "full.isq", "r+b") as file:
        file.seek(52)
        file.write((240).to_bytes(4, "little"))
        file.seek(64)
        file.write((240 * 82).to_bytes(4, "little"))
        end = file.seek(0, 2)
        file.truncate(end + 239 * 1536 * 1536 * 2)
    return "full.isq"


def test_a_full_size_scan_takes_what_was_measured_and_some_more(case_of, full):
    assert 1.3 * GB < needed_bytes(case_of(full)) < 1.6 * GB
    assert 1.5 * GB < needed_bytes(case_of(full, UNET_3D)) < 4 * GB
    assert needed_bytes(case_of(full, UNET_3D, (0, 99))) < needed_bytes(case_of(full, UNET_3D))
    two_d = BatchSettings("unet-2d", NetworkParameters())
    assert 1.5 * GB < needed_bytes(case_of(full, two_d)) < 4 * GB


def test_an_image_is_not_decoded_for_its_size(case_of, tmp_path, allocates_less_than):
    image = sitk.GetImageFromArray(np.zeros((40, 200, 200), np.int16))
    sitk.WriteImage(image, tmp_path / "a.nii.gz")
    with allocates_less_than(1_000_000):
        assert needed_bytes(case_of("a.nii.gz")) == 400_000_000 + 2 * 2 * 40 * 200 * 200


def test_the_largest_scan_counts_and_broken_ones_do_not(case_of, draw, full, tmp_path):
    draw("small")
    (tmp_path / "broken.isq").write_bytes(b"x")
    (tmp_path / "broken.nii").write_bytes(b"x")
    names = ["small.isq", "broken.isq", full, "broken.nii", "gone.isq"]
    assert largest([case_of(name) for name in names])[1] == full


def test_workers_are_as_many_as_the_memory_suffices_for_and_it_is_said(free):
    free(5 * GB)
    assert [affordable_workers(4, need * GB) for need in (1, 2, 9)] == [4, 2, 1]
    assert memory_text(2 * GB, "p7", 4, 2) == (
        "memory: up to about 2.0 GB a worker (p7), 5.0 GB are free: 2 of 4 workers are started"
    )
    assert "too little even for one worker" in memory_text(9 * GB, "p7", 1, 1)
    free(None)
    assert affordable_workers(4, 9 * GB) == 4
    assert "not known" in memory_text(GB, "p7", 4, 4)


def test_the_slices_of_a_row_do_not_change_the_file(case_of, draw):
    draw("small")
    case = case_of("small.isq")
    assert needed_bytes(case) == needed_bytes(replace(case, slices=(1, 3)))
