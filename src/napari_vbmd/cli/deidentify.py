"""The command `deidentify`: a copy of a scanner's file without what names the patient."""

import argparse
from pathlib import Path
from typing import Any

SUMMARY = "copy an ISQ or AIM without what names the patient"


def add_options(command: argparse.ArgumentParser) -> None:
    """What may be typed after ``deidentify``."""
    command.add_argument("file", type=Path, metavar="IN", help="an ISQ or AIM")
    command.add_argument("out", type=Path, metavar="OUT", help="the copy; must not be there yet")
    command.add_argument(
        "--dates",
        action="store_true",
        help="blank dates and the measurement's number, too, by which the scanner finds it",
    )


def copy(arguments: argparse.Namespace) -> dict[str, Any]:
    """Write the copy; the content of ``--json``."""
    from ..io.deidentify import deidentify

    blanked = deidentify(arguments.file, arguments.out, arguments.dates)
    return {"file": str(arguments.out), "blanked": blanked, "dates": arguments.dates}


def text(content: dict[str, Any]) -> str:
    """`copy` for people."""
    blanked = ", ".join(content["blanked"]) or "nothing was there to blank"
    kept = "" if content["dates"] else "\nkept: dates and the measurement's number (see --dates)"
    return f"{content['file']}: the same voxels; blanked: {blanked}{kept}"
