"""Writing several files that belong together: all of them or none."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import WriteError
from .atomic import _reason

_OLDER = "older"  # within the temporary folder


def check_folder(folder: str | Path) -> None:
    """Refuse a folder that cannot be made or written to; makes nothing, so ask before long work.

    Raises
    ------
    WriteError
    """
    folder = Path(folder)
    nearest = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not nearest.is_dir():
        raise WriteError(f"{folder}: {nearest} is a file, not a folder; choose another name")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise WriteError(f"{folder}: {nearest} may not be written to; choose another folder")


@contextmanager
def written_together(folder: str | Path, names: Sequence[str]) -> Iterator[Path]:
    """Give an empty temporary folder; when the block ends well, its files move in together.

    Parameters
    ----------
    folder : path
        Made when missing.
    names : sequence of str
        Every name that a result may have: an older result's files of these names make way, so
        that none of them is left beside the new ones.

    Yields
    ------
    Path
        Where to write. When the block or the moving fails, ``folder`` is as it was before.

    Raises
    ------
    WriteError
        When the folder cannot be written, or the disk is full.
    """
    folder = Path(folder)
    check_folder(folder)
    missing = [p for p in (folder, *folder.absolute().parents) if not p.exists()]
    staging = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".vbmd-", dir=folder))
        yield staging
        _move_in(staging, folder, names)
    except BaseException as error:
        if _holds_older(staging):  # and the error says so: see `_put_back`
            raise
        _remove(staging, missing)
        if isinstance(error, WriteError):  # it names a file that nobody has heard of
            raise WriteError(str(error).replace(str(staging), str(folder))) from error
        if isinstance(error, OSError):
            raise WriteError(f"{folder}: cannot be written: {_reason(error, folder)}") from error
        raise
    _remove(staging, ())


def _move_in(staging: Path, folder: Path, names: Sequence[str]) -> None:
    """Rename the new files in; when one cannot be, put everything back."""
    new = sorted(file.name for file in staging.iterdir())
    older = staging / _OLDER
    older.mkdir()
    arrived = []
    try:
        for name in {*names, *new}:
            if (folder / name).exists():
                os.replace(folder / name, older / name)
        for name in new:
            arrived.append(name)
            os.replace(staging / name, folder / name)
    except BaseException:
        for name in arrived:
            (folder / name).unlink(missing_ok=True)
        _put_back(older, folder)
        raise


def _put_back(older: Path, folder: Path) -> None:
    """Return older files; what cannot be returned stays where it is, and the error says where."""
    for file in older.iterdir():
        with contextlib.suppress(OSError):
            os.replace(file, folder / file.name)
    if any(older.iterdir()):
        raise WriteError(f"{folder}: cannot be written; the older results are now in {older}")


def _holds_older(staging: Path | None) -> bool:
    return bool(staging) and (staging / _OLDER).is_dir() and any((staging / _OLDER).iterdir())


def _remove(staging: Path | None, made: Sequence[Path]) -> None:
    """Remove the temporary folder, and folders that were made for nothing."""
    if staging:
        shutil.rmtree(staging, ignore_errors=True)
    for path in made:
        with contextlib.suppress(OSError):
            path.rmdir()
