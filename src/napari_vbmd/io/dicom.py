"""A folder with one DICOM series, through SimpleITK."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import FileFormatError
from ..scan import Scan
from .dicom_calibration import PRIVATE, calibration_of, shown, unit_of
from .dicom_elements import Slice
from .itk import refusing, scan_of

_STEP_TOLERANCE = 0.01  # of the median distance between slices

# Tags that are kept, by the name under which the header shows them
_TAGS = {
    "0008|0060": "Modality",
    "0008|0070": "Manufacturer",
    "0008|1090": "ManufacturerModelName",
    "0010|0010": "PatientName",
    "0010|0020": "PatientID",
    "0010|0030": "PatientBirthDate",
    "0018|0015": "BodyPartExamined",
    "0018|0060": "KVP",
    "0020|0060": "Laterality",
    "0020|0062": "ImageLaterality",
    "0028|1052": "RescaleIntercept",
    "0028|1053": "RescaleSlope",
    "0028|1054": "RescaleType",
    **PRIVATE,
}
_PIXEL_SIZES = ("0028|0030", "0018|1164", "0018|2010")  # without them the library takes 1 mm
_ALIKE = ("0028|1052", "0028|1053", "0028|1054", *PRIVATE)  # in every slice


def read_dicom(folder: str | Path) -> Scan:
    """Read the one DICOM series of a folder.

    Stored values are rescaled as the slices say; for their unit and calibration see
    `dicom_calibration`.

    Raises
    ------
    FileFormatError
        When the folder holds no series or several, when slices are missing, damaged or differ in
        size or calibration, or when the spacing between them is not even.
    """
    folder = Path(folder)
    with refusing(folder, "a DICOM series"):
        names = _series(folder)
        spacing_z = _even_step(folder, names)
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(names)
        image = reader.Execute()
        header = _tags(names[0])
    image.SetSpacing((*image.GetSpacing()[:2], spacing_z))
    unit, _ = unit_of(header)
    scan = scan_of(image, folder, unit, "DICOM", header, *_side(header))
    return replace(scan, calibration=calibration_of(header))


def _series(folder: Path) -> tuple[str, ...]:
    """The files of the folder's one series, in order."""
    slices = [Slice(path) for path in sorted(folder.iterdir()) if _is_slice(path)]
    if not slices:
        raise FileFormatError(
            f"{folder}: no DICOM series in this folder; choose the one with the slices"
        )
    series = {one.series for one in slices}
    if len(series) > 1:
        raise FileFormatError(
            f"{folder}: {len(series)} DICOM series in one folder; keep each in its own folder"
        )
    lost = [one.path.name for one in slices if math.isnan(one.height_mm)]
    if lost and len(slices) > 1:
        raise FileFormatError(
            f"{folder}: {lost[0]} does not say where its slice lies; export the series again"
        )
    return tuple(str(one.path) for one in sorted(slices, key=lambda one: one.height_mm))


def _is_slice(path: Path) -> bool:
    """Whether a file says that it is DICOM, by its ending or by its first bytes."""
    if path.name.upper() == "DICOMDIR" or not path.is_file():
        return False
    with open(path, "rb") as file:
        return path.suffix.lower() == ".dcm" or file.read(132)[128:] == b"DICM"


def _even_step(folder: Path, names: tuple[str, ...]) -> float:
    """Distance between slices [mm], after checking that all are there and alike."""
    reader = sitk.ImageFileReader()
    reader.LoadPrivateTagsOn()
    positions, sizes, meanings = [], set(), set()
    for name in names:
        reader.SetFileName(name)
        reader.ReadImageInformation()
        positions.append(reader.GetOrigin())
        sizes.add(reader.GetSize()[:2])
        meanings.add(tuple(reader.GetMetaData(t) for t in _ALIKE if reader.HasMetaDataKey(t)))
    if len(sizes) > 1:
        raise FileFormatError(f"{folder}: slices of different sizes {sorted(sizes)} in one series")
    if reader.GetSpacing()[:2] == (1, 1) and not any(map(reader.HasMetaDataKey, _PIXEL_SIZES)):
        raise FileFormatError(f"{folder}: its slices lack the pixel size; export the series again")
    if len(meanings) > 1:
        raise FileFormatError(
            f"{folder}: slices of different calibration in one series; export the series again"
        )
    if len(names) == 1:
        if reader.GetSize()[2] == 1:
            raise FileFormatError(f"{folder}: one slice only, so no distance between slices")
        return float(reader.GetSpacing()[2])  # one file of many frames
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    step = float(np.median(steps))
    uneven = np.flatnonzero(np.abs(steps - step) > _STEP_TOLERANCE * max(step, 1e-9))
    if step <= 0 or uneven.size:
        at = int(uneven[0]) if uneven.size else 0
        raise FileFormatError(
            f"{folder}: slices are missing or unevenly spaced: {steps[at]:.4g} mm after slice "
            f"{at}, {step:.4g} mm elsewhere; export the series again"
        )
    return step


def _tags(file: str) -> dict[str, str]:
    reader = sitk.ImageFileReader()
    reader.SetFileName(file)
    reader.LoadPrivateTagsOn()
    reader.ReadImageInformation()
    return {
        name: shown(name, _text(reader.GetMetaData(tag)).strip())
        for tag, name in _TAGS.items()
        if reader.HasMetaDataKey(tag)
    }


def _text(value: str) -> str:
    """A tag that is not UTF-8 arrives with its bytes escaped; such scanners write Latin-1."""
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _side(header: dict) -> tuple[str, str]:
    laterality = header.get("Laterality") or header.get("ImageLaterality") or ""
    side = {"L": "left", "R": "right"}.get(laterality.upper())
    return (side, "DICOM laterality") if side else ("unknown", "the header does not say")
