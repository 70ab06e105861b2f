"""NIfTI, NRRD, MetaImage and DICOM series, through SimpleITK."""

import math
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..calibration import Calibration
from ..errors import FileFormatError, WriteError
from ..grid import Grid
from ..scan import Scan
from .atomic import written_whole
from .isq import DENSITY_UNITS

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
WRITABLE = (".nii.gz", ".nii", ".nrrd", ".mha")
_FORMATS = {".nii.gz": "NIfTI", ".nii": "NIfTI", ".nrrd": "NRRD", ".nhdr": "NRRD"}
_IDENTITY = np.eye(3)
_STEP_TOLERANCE = 0.01  # of the median distance between slices

# DICOM tags that are kept, by the name under which the header shows them
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
    "0028|1052": "RescaleIntercept",
    "0028|1053": "RescaleSlope",
    "0028|1054": "RescaleType",
}


def read_itk(path: str | Path) -> Scan:
    """Read a NIfTI, NRRD or MetaImage volume; its unit is taken as native until the user says.

    Raises
    ------
    FileFormatError
        When SimpleITK cannot read it, or it is not one scalar volume on straight axes.
    """
    path = Path(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise FileFormatError(f"{path}: cannot be read: {_last_line(error)}") from None
    suffix = next(s for s in SUFFIXES if path.name.lower().endswith(s))
    return _scan(image, path, "native", {}, _FORMATS.get(suffix, "MetaImage"))


def read_dicom(folder: str | Path) -> Scan:
    """Read the one DICOM series of a folder.

    Stored values are rescaled as the slices say; the unit is HU or mg HA/cm3 where the rescale
    type says so, else native.

    Raises
    ------
    FileFormatError
        When the folder holds no series or several, when slices are missing or differ in size, or
        when the spacing between them is not even.
    """
    folder = Path(folder)
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not series:
        raise FileFormatError(
            f"{folder}: no DICOM series in this folder; choose the one with the slices"
        )
    if len(series) > 1:
        raise FileFormatError(
            f"{folder}: {len(series)} DICOM series in one folder; keep each in its own folder"
        )
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0])
    spacing_z = _even_step(folder, names)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(names)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise FileFormatError(f"{folder}: cannot be read: {_last_line(error)}") from None
    image.SetSpacing((*image.GetSpacing()[:2], spacing_z))
    header = _tags(names[0])
    return _scan(image, folder, _dicom_unit(header), header, "DICOM")


def write_itk_mask(path: str | Path, mask: np.ndarray, grid: Grid) -> None:
    """Write a mask as uint8 in the format that the path's ending names, and read it back.

    Raises
    ------
    WriteError
        When the file cannot be written, or does not hold what was written (a full disk).
    """
    path = Path(path)
    image = sitk.GetImageFromArray(np.ascontiguousarray(mask, np.uint8))
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm[::-1])
    suffix = next(s for s in WRITABLE if path.name.lower().endswith(s))
    with written_whole(path, suffix) as temporary:
        try:
            sitk.WriteImage(image, str(temporary), useCompression=True)
            back = sitk.GetArrayViewFromImage(written := sitk.ReadImage(str(temporary)))
            whole = all(np.array_equal(a, b) for a, b in zip(back, mask, strict=True))
            del back, written
        except RuntimeError:
            whole = False
        if not whole:
            raise WriteError(
                f"{path}: could not be written whole; is the disk full, or the folder missing or "
                "read-only? Choose another folder"
            )


def _scan(image: sitk.Image, path: Path, unit: str, header: dict, kind: str) -> Scan:
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise FileFormatError(
            f"{path}: {image.GetDimension()} dimensions of {image.GetNumberOfComponentsPerPixel()} "
            "values a voxel; one volume of one value a voxel is needed"
        )
    image = _straightened(image, path)
    spacing = image.GetSpacing()[::-1]
    position = [o / s for o, s in zip(image.GetOrigin()[::-1], spacing, strict=True)]
    voxels = sitk.GetArrayFromImage(image)  # a view would outlive its image, and crash
    grid = Grid(voxels.shape, spacing, [_near_whole(p) for p in position])
    side, reason = _side(header)
    return Scan(voxels, unit, grid, Calibration(), header, path, kind, side, reason)


def _straightened(image: sitk.Image, path: Path) -> sitk.Image:
    """The image with its axes along x, y, z: permuted and flipped, never resampled."""
    direction = np.reshape(image.GetDirection(), (3, 3))
    if np.allclose(direction, _IDENTITY, atol=1e-4):
        return image
    if not np.allclose(np.sort(np.abs(direction), axis=1), [0, 0, 1], atol=1e-4):
        raise FileFormatError(
            f"{path}: its axes are oblique; resample it to straight axes first (densities would "
            "change if this were done here)"
        )
    return sitk.DICOMOrient(image, "LPS")


def _even_step(folder: Path, names: tuple[str, ...]) -> float:
    """Distance between slices [mm], after checking that all are there and alike."""
    reader = sitk.ImageFileReader()
    positions, sizes = [], set()
    for name in names:
        reader.SetFileName(name)
        reader.ReadImageInformation()
        positions.append(reader.GetOrigin())
        sizes.add(reader.GetSize()[:2])
    if len(sizes) > 1:
        raise FileFormatError(f"{folder}: slices of different sizes {sorted(sizes)} in one series")
    if len(names) == 1:
        return float(reader.GetSpacing()[2]) or 1.0
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    step = float(np.median(steps))
    uneven = np.flatnonzero(np.abs(steps - step) > _STEP_TOLERANCE * max(step, 1e-9))
    if step <= 0 or uneven.size:
        at = int(uneven[0]) if uneven.size else 0
        raise FileFormatError(
            f"{folder}: slices are missing or unevenly spaced: {steps[at]:.4g} mm after slice {at}, "
            f"{step:.4g} mm elsewhere; export the series again"
        )
    return step


def _tags(name: str) -> dict[str, str]:
    reader = sitk.ImageFileReader()
    reader.SetFileName(name)
    reader.LoadPrivateTagsOn()
    reader.ReadImageInformation()
    return {
        shown: reader.GetMetaData(tag).strip()
        for tag, shown in _TAGS.items()
        if reader.HasMetaDataKey(tag)
    }


def _dicom_unit(header: dict) -> str:
    kind = header.get("RescaleType", "")
    if kind.upper() == "HU":
        return "hu"
    return "density" if kind in DENSITY_UNITS else "native"


def _side(header: dict) -> tuple[str, str]:
    laterality = {"L": "left", "R": "right"}.get(header.get("Laterality", "").upper())
    if laterality:
        return laterality, "DICOM laterality"
    return "unknown", "the header does not say"


def _near_whole(position: float) -> float:
    """Undo the rounding of origin / spacing; a position off the lattice stays as it is."""
    return round(position) if math.isclose(position, round(position), abs_tol=1e-6) else position


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()
