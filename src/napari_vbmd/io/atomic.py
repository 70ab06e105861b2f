"""Writing a file whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import WriteError


@contextmanager
def written_whole(path: str | Path, suffix: str = "") -> Iterator[Path]:
    """Give a temporary path beside the final one; rename it when the block ends well.

    Parameters
    ----------
    path : path
        The final name.
    suffix : str
        Ending that the temporary name must have, for libraries that choose a format by it.

    Yields
    ------
    Path
        Where to write. It is removed when the block fails, and the final name stays as it was.

    Raises
    ------
    WriteError
        When the folder is missing or may not be written, or the disk is full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{suffix or '.part'}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if isinstance(error, WriteError):
            raise
        raise WriteError(f"{path}: cannot be written: {_reason(error, path)}") from error
    finally:
        with suppress(OSError):  # it may never have come to be, and its folder neither
            temporary.unlink()


def _reason(error: OSError, path: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return "the disk is full; free some space or choose another folder"
    if not os.path.isdir(path.parent):  # Path.is_dir raises for a folder that may not be searched
        return f"the folder {path.parent} does not exist; make it first"
    return f"{error.strerror or error}; choose another folder"
