"""Edited masks kept aside until they are saved, so that a crash costs no work.

One folder for each session (a process), one file for each mask: its box, its geometry, and what it
was drawn on. A session whose process is gone left behind what its masks were never saved as.
"""

import json
import os
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import FileFormatError
from ..grid import Grid
from ..morphology import bounding_box
from ..scan import Mask
from .atomic import written_whole

SUFFIX = ".rescue.npz"
_OWNER = "owner.json"


@dataclass(frozen=True)
class Rescued:
    """What stands beside a mask that was kept aside.

    Parameters
    ----------
    name : str
        Of the mask's layer.
    scan : str
        Name of the scan beneath, without its folder.
    scan_path : str
        Where the scan was; "" when it came from no file.
    seconds : float
        When the mask was kept, since 1970.
    shape, spacing_mm, position : tuple
        Of the mask's whole grid.
    corner : tuple of int
        Of the box that was kept, in the grid.
    """

    name: str
    scan: str
    scan_path: str
    seconds: float
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    position: tuple[float, float, float]
    corner: tuple[int, int, int]

    @property
    def when(self) -> str:
        """The time as people read it, of this computer's clock."""
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(self.seconds))


class Session:
    """The folder of this process's masks.

    Parameters
    ----------
    folder : path
        Of all sessions; made when missing.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder) / f"{os.getpid()}-{time.time_ns():x}"

    def keep(self, key: str, mask: Mask, scan: str = "", scan_path: str = "") -> Path:
        """Keep a mask aside, whole or not at all, in the place of what was kept under this key.

        Parameters
        ----------
        key : str
            Of the mask within the session.
        mask : Mask
            Copied out of its box only.
        scan, scan_path : str
            Beneath it.

        Raises
        ------
        WriteError
            When the folder cannot be written to.
        """
        self._begin()
        box = bounding_box(mask.voxels) or (slice(0, 0),) * 3
        about = Rescued(
            mask.name,
            scan,
            scan_path,
            time.time(),
            mask.grid.shape,
            mask.grid.spacing_mm,
            mask.grid.position,
            tuple(side.start for side in box),
        )
        target = self.folder / f"{key}{SUFFIX}"
        with written_whole(target) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(
                file, voxels=mask.voxels[box], about=np.array(json.dumps(asdict(about)))
            )
            file.flush()
            os.fsync(file.fileno())  # a crash may be that of the whole machine
        return target

    def forget(self, key: str) -> None:
        """The mask was saved, or is not wanted: nothing is kept of it."""
        (self.folder / f"{key}{SUFFIX}").unlink(missing_ok=True)
        self.end()

    def end(self) -> None:
        """Remove the folder when it keeps nothing."""
        if self.folder.is_dir() and not any(self.folder.glob(f"*{SUFFIX}")):
            _remove(self.folder)

    def _begin(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True)
            owner = {"pid": os.getpid(), "started": process_start(os.getpid())}
            (self.folder / _OWNER).write_text(json.dumps(owner), encoding="utf-8")


def left_behind(folder: str | Path) -> Iterator[Path]:
    """Masks that sessions left whose processes are gone; oldest first."""
    files = [
        file
        for session in Path(folder).glob("*/")
        if not _is_alive(session)
        for file in session.glob(f"*{SUFFIX}")
    ]
    yield from sorted(files, key=lambda file: file.stat().st_mtime)


def about(path: str | Path) -> Rescued:
    """What a kept mask was, without its voxels; raises FileFormatError."""
    with _opened(path) as stored:
        return _about(stored)


def rescue(path: str | Path) -> tuple[Mask, Rescued]:
    """A kept mask on its whole grid, and what it was.

    Raises
    ------
    FileFormatError
        When the file is damaged.
    """
    with _opened(path) as stored:
        told, voxels = _about(stored), stored["voxels"]
    grid = Grid(told.shape, told.spacing_mm, told.position)
    whole = np.zeros(grid.shape, np.uint8)
    whole[tuple(slice(c, c + n) for c, n in zip(told.corner, voxels.shape, strict=True))] = voxels
    return Mask(whole, grid, format="rescued"), told


def discard(path: str | Path) -> None:
    """Remove a kept mask, and its session's folder when it was the last."""
    path = Path(path)
    path.unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.glob(f"*{SUFFIX}")):
        _remove(path.parent)


def process_start(pid: int) -> float | None:
    """When a process began, to tell it from a later one of the same number; None where unknown."""
    try:
        import psutil

        return psutil.Process(pid).create_time()
    except Exception:  # gone, not ours to ask, or psutil is not installed
        return None


def _is_alive(session: Path) -> bool:
    try:
        owner = json.loads((session / _OWNER).read_text(encoding="utf-8"))
        pid, started = int(owner["pid"]), owner["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    now = process_start(pid)
    return now is not None and (started is None or abs(now - started) < 1)


def _remove(session: Path) -> None:
    for file in session.iterdir():
        file.unlink(missing_ok=True)
    session.rmdir()


class _opened:
    """A kept file, its damage said in one line."""

    def __init__(self, path: str | Path):
        self._path = Path(path)

    def __enter__(self):
        try:
            self._stored = np.load(self._path, allow_pickle=False)
        except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
            raise FileFormatError(f"{self._path}: not a mask that was kept aside") from error
        return self._stored

    def __exit__(self, kind, error, trace) -> None:
        self._stored.close()
        if isinstance(error, KeyError | ValueError | TypeError | zipfile.BadZipFile | EOFError):
            raise FileFormatError(f"{self._path}: the mask kept aside is damaged") from error


def _about(stored) -> Rescued:
    told = json.loads(str(stored["about"]))
    return Rescued(**{k: tuple(v) if isinstance(v, list) else v for k, v in told.items()})
