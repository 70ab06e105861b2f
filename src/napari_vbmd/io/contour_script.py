"""Command files for the scanner: predictions into contours, and contours back into masks.

OpenVMS runs them (``@AIM_TO_GOBJ.COM``): lines with ``$`` go to its command language, the others
to the vendor's Image Processing Language (IPL). The steps are those of the published procedure:
read, convert_to_type, togobj_from_aim; and for a cohort gobj_to_aim, write_part header, write.

Source: Folle et al. 2021, their published scripts and README; the options' names as the vendor's
own logs show them. Those of convert_to_type have not been seen in any log.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import ParameterError
from .aim_header import read_header
from .aim_voxels import BINARY, CHAR, CHAR_COMPRESSED, PACKED_BITS, type_name

TO_CONTOURS, TO_MASKS = "AIM_TO_GOBJ.COM", "GOBJ_TO_AIM.COM"
_LABELS = (CHAR, BINARY, CHAR_COMPRESSED, PACKED_BITS)
_NAME = re.compile(r"[A-Z0-9$_-]{1,39}", re.IGNORECASE)  # what every OpenVMS disk can hold
_FOLDER = re.compile(r"[A-Z0-9$_-]+:\[[A-Z0-9$_.-]+\]", re.IGNORECASE)


def check_masks(masks: Iterable[str | Path]) -> list[str]:
    """The names, without ending, of masks that can become contours on the scanner.

    Raises
    ------
    FileFormatError
        When one is no AIM.
    ParameterError
        When one holds grey values, or a name is given twice or cannot exist on OpenVMS.
    """
    names: list[str] = []
    for path in map(Path, masks):
        if (kind := read_header(path).type) not in _LABELS:
            raise ParameterError(
                f"{path}: an AIM of {type_name(kind)} is a scan, not a mask; give the mask"
            )
        name = re.sub(r"\.aim(;\d*)?$", "", path.name, flags=re.IGNORECASE).upper()
        if not _NAME.fullmatch(name):
            raise ParameterError(
                f"{path}: the scanner cannot hold this name; use up to 39 letters, digits, $, - "
                "and _ before .AIM"
            )
        if name in names:
            raise ParameterError(f"{path}: a mask of this name comes twice; rename one of them")
        names.append(name)
    return names


def to_contours(names: Sequence[str], folder: str | None = None) -> str:
    """The command file that turns predictions into contours: NAME.AIM into NAME.GOBJ.

    Parameters
    ----------
    names : sequence of str
        Of `check_masks`.
    folder : str, optional
        On the scanner, such as ``DK0:[MICROCT.DATA]``; where the command file is run when None.
    """
    steps = [
        _ipl(
            ("read", ("name", "pred"), ("filename", f"{name}.AIM")),
            ("convert_to_type", ("input", "pred"), ("output", "mask"), ("type", "char")),
            (
                "togobj_from_aim",
                ("input", "mask"),
                ("gobj_filename", f"{name}.GOBJ"),
                ("curvature_smooth", "1"),
            ),
        )
        for name in names
    ]
    return _command_file("Predictions into contours", steps, folder)


def to_masks(names: Sequence[str], folder: str | None = None) -> str:
    """The command file that turns contours into masks and text headers, for a cohort.

    NAME.GOBJ becomes NAME_SEG.AIM (binary compressed, version 020) and NAME_HEAD.TXT, which
    ``--slices`` reads.
    """
    steps = [
        _ipl(
            ("gobj_to_aim", ("gobj_filename", f"{name}.GOBJ"), ("output", "mask"), _UNPEELED),
            f"/write_part mask {name}_HEAD.TXT header binary",
            (
                "write",
                ("name", "mask"),
                ("filename", f"{name}_SEG.AIM"),
                ("compress_type", "bin"),
                ("version_020", "true"),
            ),
        )
        for name in names
    ]
    return _command_file("Contours into masks", steps, folder)


_UNPEELED = ("peel_iter", "0")


def _ipl(*commands: str | tuple) -> list[str]:
    """One run of IPL, so that memory is free again after each patient."""
    lines = ["$ ipl"]
    for command in commands:
        if isinstance(command, str):
            lines.append(command)
            continue
        lines.append(f"/{command[0]}")
        lines += [f"  -{option:<25} {value}" for option, value in command[1:]]
    return [*lines, "quit"]


def _command_file(title: str, steps: Sequence[list[str]], folder: str | None) -> str:
    if folder is not None and not _FOLDER.fullmatch(folder):
        raise ParameterError(
            f"--folder {folder}: not a folder as OpenVMS writes it, such as DK0:[MICROCT.DATA]"
        )
    head = [f"$! {title}, written by napari-vbmd; {len(steps)} in all"]
    if folder is not None:
        head.append(f"$ SET DEFAULT {folder}")
    return "\n".join([*head, *(line for step in steps for line in step), "$ EXIT", ""])
