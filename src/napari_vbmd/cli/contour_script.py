"""The command `contour-script`: command files that take masks to the scanner and back."""

import argparse
from pathlib import Path
from typing import Any

SUMMARY = "write the scanner's command files: predictions into contours, contours into masks"


def add_options(command: argparse.ArgumentParser) -> None:
    """What may be typed after ``contour-script``."""
    command.add_argument("masks", type=Path, nargs="+", metavar="MASK.AIM", help="predictions")
    command.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="for the command files"
    )
    command.add_argument(
        "--folder",
        metavar="DK0:[...]",
        help="the masks' folder on the scanner (default: where the command files are run)",
    )


def write(arguments: argparse.Namespace) -> dict[str, Any]:
    """Write both command files; the content of ``--json``."""
    from ..io.contour_script import TO_CONTOURS, TO_MASKS, check_masks, to_contours, to_masks
    from ..io.results import written_together

    names = check_masks(arguments.masks)
    files = {
        TO_CONTOURS: to_contours(names, arguments.folder),
        TO_MASKS: to_masks(names, arguments.folder),
    }
    with written_together(arguments.out, list(files)) as staging:
        for file, content in files.items():
            (staging / file).write_text(content, encoding="ascii", newline="\n")
    return {
        "masks": names,
        "to_contours": str(arguments.out / TO_CONTOURS),
        "to_masks": str(arguments.out / TO_MASKS),
    }


def text(content: dict[str, Any]) -> str:
    """`write` for people."""
    return (
        f"{content['to_contours']}: {len(content['masks'])} masks into contours\n"
        f"{content['to_masks']}: the contours into masks, once they were looked at"
    )
