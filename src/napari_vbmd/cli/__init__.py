"""The command line face: `main` parses, runs one command, and turns errors into one line.

Nothing heavy is imported before a command needs it, so that ``--help`` comes at once.
"""

import os
import sys
from collections.abc import Sequence

from ..errors import VbmdError
from .parser import UsageError, parse

OK, BAD_INPUT, INTERRUPTED = 0, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the command's own name; those of the process when None.

    Returns
    -------
    int
        0 done; 1 done but for some patients of a batch; 2 wrong use or bad input, with one line on
        stderr; 130 interrupted.
    """
    status = None
    words = list(sys.argv[1:] if argv is None else argv)
    if hasattr(sys.stdout, "reconfigure"):  # a name that the terminal cannot show is no error
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        arguments = parse(words)
        from . import commands

        status = commands.run(arguments, ["napari-vbmd", *words])
        if sys.stdout:
            sys.stdout.flush()  # a full disk or a closed pipe shows here at the latest
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    except BrokenPipeError:  # the reader has gone: it had what it wanted
        _forget_stdout()
    except KeyboardInterrupt as stop:
        said = str(stop) or "interrupted; no half-written file is left"
        return _fail(said, INTERRUPTED)
    except MemoryError as error:
        return _fail(f"not enough memory ({error}); close other programs", BAD_INPUT)
    except (VbmdError, UsageError) as error:
        return _fail(str(error), BAD_INPUT)
    except OSError as error:
        _forget_stdout()
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", BAD_INPUT)
    return status or OK


def _fail(message: str, code: int) -> int:
    if sys.stderr:
        print(f"napari-vbmd: {' '.join(message.split())}", file=sys.stderr)
    return code


def _forget_stdout() -> None:
    """Keep Python from trying again, and complaining, at its end where stdout cannot be written."""
    try:
        descriptor = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # no real stdout
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
