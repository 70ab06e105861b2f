"""A small study: rods in boxes, as scans with masks, and the manifest that names them."""

import csv

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.isq import write_isq
from napari_vbmd.study.manifest import COLUMNS, read_manifest

CALIBRATION = Calibration(8192.0, 0.2409, 1600.0, -390.0, source="test")
GRID = Grid((12, 40, 40), (0.246, 0.246, 0.246))


@pytest.fixture
def draw(tmp_path):
    """Write a rod as NAME.isq and NAME.aim; gives their row of a manifest."""

    def write(name="hand", slices=(2, 9), radius=9.0, density=700.0, **cells):
        y, x = np.mgrid[-20:20, -20:20] + 0.5
        bone = np.zeros(GRID.shape, np.uint8)
        bone[slices[0] : slices[1] + 1] = np.hypot(y, x + 3) < radius
        values = np.where(bone, density, 50.0)
        values += np.random.default_rng(0).normal(0, 20, GRID.shape)
        native = np.rint(CALIBRATION.linear("density", "native")(values)).astype(np.int16)
        write_isq(tmp_path / f"{name}.isq", native, GRID.spacing_mm, CALIBRATION)
        box = (slice(slices[0], slices[1] + 1), slice(5, 35), slice(5, 35))
        write_mask(tmp_path / f"{name}.aim", bone[box], GRID.box(box))
        return {"scan": f"{name}.isq", "mask": f"{name}.aim", "side": "right"} | cells

    return write


@pytest.fixture
def manifest_of(tmp_path):
    """Write rows as a manifest, and read it."""

    def write(*rows, name="cases.csv"):
        columns = [*COLUMNS, *dict.fromkeys(k for row in rows for k in row if k not in COLUMNS)]
        with open(tmp_path / name, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return read_manifest(tmp_path / name)

    return write
