"""Small studies: rods in boxes, as scans with masks, and the tables that name them."""

import csv

import numpy as np
import pytest

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.isq import write_isq
from napari_vbmd.morphology import dilate
from napari_vbmd.study.manifest import COLUMNS, read_manifest

CALIBRATION = Calibration(8192.0, 0.2409, 1600.0, -390.0, source="test")
GRID = Grid((12, 40, 40), (0.246, 0.246, 0.246))
PAIR_GRID = Grid((6, 40, 50), (0.5, 0.5, 0.5))
PAIR_BOX = (slice(1, 5), slice(10, 22), slice(14, 26))


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


@pytest.fixture
def pair_grid() -> Grid:
    return PAIR_GRID


@pytest.fixture
def rod() -> np.ndarray:
    rod = np.zeros(PAIR_GRID.shape, np.uint8)
    rod[PAIR_BOX] = 1
    return rod


@pytest.fixture
def write_pairs(tmp_path):
    """Write rows as pairs.csv; gives its path."""

    def write(rows, columns=("scan", "mask_1", "mask_2", "name_1", "name_2", "patient")):
        path = tmp_path / "pairs.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([columns, *rows])
        return path

    return write


@pytest.fixture
def pair_rows(tmp_path, rod):
    """Files of this many pairs; rows for the table. The expert's masks are boxes of the scan."""

    def make(count):
        for folder in ("network", "expert"):
            (tmp_path / folder).mkdir(exist_ok=True)
        native = np.rint(CALIBRATION.linear("density", "native")(rod * 700.0)).astype(np.int16)
        made = []
        for i in range(count):
            write_isq(
                tmp_path / f"s{i}.isq", native + i, PAIR_GRID.spacing_mm, CALIBRATION, name="Roe"
            )
            grown = dilate(rod, 0.5 * (1 + i % 2), PAIR_GRID.spacing_mm, slicewise=True)
            write_mask(tmp_path / f"network/m{i}.nii.gz", grown, PAIR_GRID)
            write_mask(tmp_path / f"expert/m{i}.aim", rod[PAIR_BOX], PAIR_GRID.box(PAIR_BOX))
            pair = (f"network/m{i}.nii.gz", f"expert/m{i}.aim", "network", "expert")
            made.append((f"s{i}.isq", *pair, f"p{i}"))
        return made

    return make


@pytest.fixture
def pairs_file(write_pairs, pair_rows):
    """A table of so many good pairs."""
    return lambda count: write_pairs(pair_rows(count))
