"""Where the samples lie: in the installed package, or in a checkout's sample_data."""

from pathlib import Path
from typing import Literal, NamedTuple

from ..errors import FileFormatError

Sample = Literal["bone", "hand"]

PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = (PACKAGE / "sample_data", PACKAGE.parents[1] / "sample_data")


class SamplePaths(NamedTuple):
    """The files of a sample: scan (ISQ), the expert's mask (AIM), the known answer (JSON)."""

    scan: Path
    expert: Path
    answer: Path


def sample_paths(folder: str | Path | None = None, sample: Sample = "bone") -> SamplePaths:
    """Find a sample.

    Parameters
    ----------
    folder : path, optional
        Where to look; by default in the installed package, then in the checkout.
    sample : {'bone', 'hand'}
        One metacarpal head, or a left hand.

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
        paths = sample_files(place, sample)
        if all(path.is_file() for path in paths):
            return paths
    raise FileFormatError(
        f"{folders[-1]}: the sample scan is not there; install napari-vbmd again, or run "
        "sample_data/make_sample.py in a checkout"
    )


def sample_files(folder: str | Path, sample: Sample = "bone") -> SamplePaths:
    """The names that a sample has in a folder, whether it is there or not."""
    names = (f"phantom_{sample}{ending}" for ending in (".isq", "_expert.aim", ".json"))
    return SamplePaths(*(Path(folder) / name for name in names))
