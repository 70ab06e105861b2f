"""The text header that the vendor's ``write_part ... header`` writes: which slices a mask covers.

Its lines are a key and three numbers along x, y, z: ``dim``, ``off``, ``pos``. The published
pipeline takes the slices from ``pos`` and ``dim``, and so do we.
"""

from pathlib import Path

from ..errors import FileFormatError

_LONGEST = 1 << 20  # bytes; real ones have a few thousand


def read_slice_range(path: str | Path) -> tuple[int, int]:
    """First and last slice, inclusive, of the mask that a text header describes.

    Parameters
    ----------
    path : path
        Its VMS version (``;1``) is part of the name only.

    Returns
    -------
    tuple of int
        Counted from the first slice of the original scan.

    Raises
    ------
    FileFormatError
        When the file is missing, or says no position and size along z.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            text = file.read(_LONGEST).decode("latin-1")
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be opened: {error.strerror or error}") from error
    said = {key: _numbers(text, key) for key in ("pos", "dim")}
    missing = [key for key, numbers in said.items() if numbers is None]
    if missing or said["dim"][2] < 1:
        raise FileFormatError(
            f"{path}: not a text header: it lacks a line '{(missing or ['dim'])[0]}' with three "
            "whole numbers; write it with write_part NAME FILE header"
        )
    first = said["pos"][2]
    return first, first + said["dim"][2] - 1


def _numbers(text: str, key: str) -> tuple[int, ...] | None:
    """The three numbers of the first line that begins with a key."""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == [key] and len(words) == 4:
            try:
                return tuple(map(int, words[1:]))
            except ValueError:
                return None
    return None
