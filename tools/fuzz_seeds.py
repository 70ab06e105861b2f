"""Whole small files of each format, from which `fuzz_files` makes broken ones."""

import struct
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from napari_vbmd.calibration import Calibration
from napari_vbmd.grid import Grid
from napari_vbmd.io import aim_write
from napari_vbmd.io.aim_write import write_aim_mask, write_aim_scan
from napari_vbmd.io.isq import write_isq
from napari_vbmd.scan import Scan

GRID = Grid((5, 6, 7), (0.082, 0.082, 0.082), (-3, 2, 40))
CONSTANTS = Calibration(8192.0, 0.2409, 1603.5, -391.2, source="fuzz")
OTHER_TYPES = (0x30004, 0x40004, 0x1A0004, 0x80002, 0x60001)


def make_seeds(folder: Path) -> dict[str, list[Path]]:
    """Write the seeds; for DICOM the first slice of each series, the others lie beside it."""
    rng = np.random.default_rng(0)
    values = rng.integers(-1000, 20000, GRID.shape, np.int16)
    return {
        "ISQ": [_isq(folder / "a.isq", values)],
        "AIM": _aims(folder, values, rng),
        "NIfTI": [_itk(folder / f"a{e}", values) for e in (".nii", ".nii.gz")],
        "NRRD": [_itk(folder / "a.nrrd", values), _itk(folder / "b.nrrd", values, True)],
        "MetaImage": [_itk(folder / "a.mha", values), _itk(folder / "b.mha", values, True)],
        "DICOM": [_dicom(folder / "series", values)],
    }


def _isq(path: Path, values: np.ndarray) -> Path:
    write_isq(path, values, GRID.spacing_mm, CONSTANTS, "Doe")
    return path


def _aims(folder: Path, values: np.ndarray, rng) -> list[Path]:
    paths = []
    largest = aim_write._LARGEST_V020
    for version, limit in (("020", largest), ("030", 0)):
        aim_write._LARGEST_V020 = limit
        short, mask, labels = (
            folder / f"{kind}{version}.aim" for kind in ("short", "mask", "char")
        )
        write_aim_scan(short, Scan(values, "native", GRID, CONSTANTS))
        write_aim_mask(mask, rng.random(GRID.shape) < 0.4, GRID)
        write_aim_mask(labels, rng.integers(0, 5, GRID.shape).astype(np.uint8), GRID)
        paths += [short, mask, labels]
        paths += [_retyped(short, version, kind, values, rng) for kind in OTHER_TYPES]
    aim_write._LARGEST_V020 = largest
    return paths


def _retyped(short: Path, version: str, kind: int, values: np.ndarray, rng) -> Path:
    """The same AIM with voxels of another type."""
    data = _voxels(kind, values, rng)
    head, code = bytearray(short.read_bytes()[: -values.nbytes]), "i" if version == "020" else "q"
    if kind == 0x80002:
        data = struct.pack(f"<{code}", len(data) + struct.calcsize(code)) + data
    struct.pack_into("<i", head, 40 if version == "020" else 68, kind)
    struct.pack_into(f"<{code}", head, 12 if version == "020" else 40, len(data))
    path = short.with_name(f"type{kind:x}_{version}.aim")
    path.write_bytes(bytes(head) + data)
    return path


def _voxels(kind: int, values: np.ndarray, rng) -> bytes:
    if kind == 0x80002:
        return bytes([0, 0, 1, 100, 5, 10, 0, 100])  # pairs that cover 210 voxels
    if kind == 0x60001:
        return rng.integers(0, 256, 3 * 3 * 4, np.uint8).tobytes() + b"\x7f"
    return values.astype("<i4" if kind == 0x30004 else "<f4").tobytes()


def _itk(path: Path, values: np.ndarray, compressed: bool = False) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(GRID.spacing_mm[::-1])
    image.SetOrigin(GRID.origin_mm[::-1])
    sitk.WriteImage(image, str(path), useCompression=compressed)
    return path


def _dicom(folder: Path, values: np.ndarray) -> Path:
    folder.mkdir()
    for z, section in enumerate(values[:3]):
        image = sitk.GetImageFromArray(section[None])
        image.SetSpacing((0.1, 0.1, 0.1))
        tags = {"0008|0060": "CT", "0008|0016": "1.2.840.10008.5.1.4.1.1.2"}
        tags |= {"0008|0018": f"1.2.3.{z + 1}", "0020|000e": "1.2.3", "0020|000d": "1.2"}
        tags |= {"0020|0013": str(z + 1), "0020|0032": f"0\\0\\{z / 10}", "0028|1054": "HU"}
        tags |= {"0020|0037": "1\\0\\0\\0\\1\\0", "0028|1052": "0", "0028|1053": "1"}
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{z}.dcm"))
        writer.Execute(image)
    return folder / "0.dcm"
