"""NIfTI, NRRD and MetaImage, through SimpleITK; what `dicom` shares with them."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from ..calibration import Calibration
from ..errors import FileFormatError, ParameterError, WriteError
from ..grid import Grid
from ..scan import Scan
from .atomic import written_whole
from .nifti import check_whole


class _Format(NamedTuple):
    """A format's name, the library's reader for it, and what its header must hold.

    The reader is chosen by the ending here: left alone, the library knows .mha but not .MHA. Files
    without the signature are refused here: MetaImage's reader would print four lines of its own,
    and crash where the number of dimensions is negative or the last line does not end. A voxel size
    that is not there would become 1 mm.
    """

    name: str
    library: str
    signature: re.Pattern[bytes]
    end: re.Pattern[bytes]
    voxel_size: re.Pattern[bytes]


_ANY = re.compile(b"")
_NIFTI = _Format("NIfTI", "NiftiImageIO", _ANY, _ANY, _ANY)  # see `check_whole`
_NRRD = _Format(
    "NRRD",
    "NrrdImageIO",
    re.compile(rb"\ANRRD000"),
    re.compile(rb"\r?\n\r?\n"),
    re.compile(rb"^(spacings|space directions):(?!.*(nan|none))", re.M | re.I),
)
_META = _Format(
    "MetaImage",
    "MetaImageIO",
    re.compile(rb"^NDims *= *[1-9]\s(?s:.*)^ElementDataFile *= *[^\0-\x1f]+\r?\n", re.M),
    re.compile(rb"^ElementDataFile", re.M),
    re.compile(rb"^Element(Spacing|Size)\s*=", re.M),
)
_FORMATS = {
    ".nii.gz": _NIFTI,
    ".nii": _NIFTI,
    ".nrrd": _NRRD,
    ".nhdr": _NRRD,
    ".mha": _META,
    ".mhd": _META,
}
SUFFIXES = tuple(_FORMATS)
WRITABLE = (".nii.gz", ".nii", ".nrrd", ".mha")
_DETACHED = (".nhdr", ".mhd")  # headers whose voxels are in another file
_MOST_DEFLATED = 1032  # bytes that one compressed byte can hold
_IDENTITY = np.eye(3)
_HEAD = 1 << 16  # bytes, in which a text header ends
_ROUNDING = 1e-3  # voxels


def read_itk(path: str | Path) -> Scan:
    """Read a NIfTI, NRRD or MetaImage volume; its unit is taken as native until the user says.

    Raises
    ------
    FileFormatError
        When it is damaged, or not one volume of real numbers on straight axes.
    """
    path = Path(path)
    suffix = _suffix(path, SUFFIXES)
    form = _FORMATS[suffix]
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if not form.signature.search(head):
        raise FileFormatError(f"{path}: not a {form.name} file; is it whole, and its ending right?")
    if form is _NIFTI:
        check_whole(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(form.library)
    with refusing(path, form.name):
        reader.ReadImageInformation()
        _check_volume(path, reader)
        _check_voxel_size(path, form, head)
        if suffix not in _DETACHED:
            _check_claim(path, head, reader)
        image = reader.Execute()
    return scan_of(image, path, "native", form.name)


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
    suffix = _suffix(path, WRITABLE)
    with written_whole(path, suffix) as temporary:
        try:
            sitk.WriteImage(image, str(temporary), useCompression=True)
            back = read_itk(temporary).voxels
            whole = all(np.array_equal(a, b) for a, b in zip(back, mask, strict=True))
        except (RuntimeError, FileFormatError):
            whole = False
        if not whole:
            raise WriteError(
                f"{path}: could not be written whole; is the disk full, or the folder missing or "
                "read-only? Choose another folder"
            )


def scan_of(
    image: sitk.Image,
    path: Path,
    unit: str,
    kind: str,
    header: dict | None = None,
    side: str = "unknown",
    side_reason: str = "the header does not say",
) -> Scan:
    """An image of the library as a scan, its axes straightened."""
    _check_volume(path, image)
    image = _straightened(image, path)
    spacing = image.GetSpacing()[::-1]
    position = [o / s for o, s in zip(image.GetOrigin()[::-1], spacing, strict=True)]
    voxels = sitk.GetArrayFromImage(image)  # a view would outlive its image, and crash
    grid = Grid(voxels.shape, spacing, [_near_whole(p) for p in position])
    return Scan(voxels, unit, grid, Calibration(), header or {}, path, kind, side, side_reason)


@contextmanager
def refusing(path: Path, kind: str) -> Iterator[None]:
    """Turn the library's errors, of many lines, into one line of ours."""
    try:
        yield
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        reason = [line for line in lines if line and not line.startswith("Reason:")][-1]
        reason = re.sub(r"\w+\(0x[0-9a-f]+\): ", "", reason)
        reason = "".join(c for c in reason if c.isprintable())[:200]
        raise FileFormatError(
            f"{path}: damaged, or not {kind} ({reason}); copy or export it again"
        ) from None


def _check_volume(path: Path, image: sitk.Image | sitk.ImageFileReader) -> None:
    """Refuse what is not one volume of one real number a voxel."""
    dimensions, kind = image.GetDimension(), image.GetPixelIDValue()
    if dimensions != 3 or not sitk.sitkInt8 <= kind <= sitk.sitkFloat64:
        raise FileFormatError(
            f"{path}: {dimensions} dimensions of {sitk.GetPixelIDValueAsString(kind)}; one volume "
            "of one real number a voxel is needed"
        )


def _check_voxel_size(path: Path, form: _Format, head: bytes) -> None:
    end = form.end.search(head)
    if not form.voxel_size.search(head[: end.start()] if end else head):
        raise FileFormatError(
            f"{path}: its header lacks the voxel size; write it into the header, or export it again"
        )


def _check_claim(path: Path, head: bytes, reader: sitk.ImageFileReader) -> None:
    """Refuse a header that claims more than its file can hold, before memory is set aside."""
    size = path.stat().st_size
    one = sitk.Image(1, 1, 1, reader.GetPixelIDValue()).GetSizeOfPixelComponent()
    needed = one * math.prod(reader.GetSize())
    whole = needed <= _MOST_DEFLATED * size
    if start := re.search(rb"ElementDataFile\s*=\s*LOCAL\s*?\n", head):  # MetaImage says more
        stored = re.search(rb"CompressedDataSize\s*=\s*(\d+)", head[: start.start()])
        whole &= start.end() + (int(stored[1]) if stored else needed) <= size
    if not whole:
        raise FileFormatError(
            f"{path}: truncated: {size} bytes cannot hold the voxels of its header ({needed} "
            "bytes); copy the file again"
        )


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


def _near_whole(position: float) -> float:
    """Undo the rounding of origin / spacing; a position off the lattice stays as it is.

    NIfTI keeps both in single precision: 1500 voxels from the origin, 1e-4 voxel is lost.
    """
    whole = round(position) if math.isfinite(position) else position
    return whole if abs(position - whole) < _ROUNDING else position


def _suffix(path: Path, known: tuple[str, ...]) -> str:
    for suffix in known:
        if path.name.lower().endswith(suffix):
            return suffix
    raise ParameterError(f"{path}: unknown ending; use {', '.join(known)}")
