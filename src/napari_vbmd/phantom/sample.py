"""Where the sample scan lies: in the installed package, or in a checkout's sample_data."""

from pathlib import Path
from typing import NamedTuple

from ..errors import FileFormatError

PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = (PACKAGE / "sample_data", PACKAGE.parents[1] / "sample_data")


class SamplePaths(NamedTuple):
    """The files of the sample: scan (ISQ), the expert's mask (AIM), the known answer (JSON)."""

    scan: Path
    expert: Path
    answer: Path


def sample_paths(folder: str | Path | None = None) -> SamplePaths:
    """Find the sample.

    Parameters
    ----------
    folder : path, optional
        Where to look; by default in the installed package, then in the checkout.

    Returns
    -------
    SamplePaths

    Raises
    ------
    FileFormatError
        When a file of the sample is missing.
    """
    folders = (Path(folder),) if folder else FOLDERS
    for place in folders:
        paths = sample_files(place)
        if all(path.is_file() for path in paths):
            return paths
    raise FileFormatError(
        f"{folders[-1]}: the sample scan is not there; install napari-vbmd again, or run "
        "sample_data/make_sample.py in a checkout"
    )


def sample_files(folder: str | Path) -> SamplePaths:
    """The names that the sample has in a folder, whether it is there or not."""
    names = ("phantom_bone.isq", "phantom_bone_expert.aim", "phantom_bone.json")
    return SamplePaths(*(Path(folder) / name for name in names))
