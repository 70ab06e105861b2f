"""What may be typed: the commands, their options, and the words' meaning."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .. import __version__
from . import agree, batch, cohort, contour_script, deidentify, evaluate, phantom, preference, train

_UNITS = ("native", "hu", "density")  # those that a file can hold
_CONSTANTS = (
    ("--mu-scaling", "native units per 1/cm"),
    ("--mu-water", "linear attenuation of water [1/cm]"),
    ("--slope", "density slope [mg HA/cm3 per 1/cm]"),
    ("--intercept", "density intercept [mg HA/cm3]"),
)
_EPILOG = "Research software, not for clinical use. Slices are numbered from 0 along z."


class UsageError(Exception):
    """The words typed make no sense."""


class _Parser(argparse.ArgumentParser):
    """One line for wrong use, where argparse prints the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse the words after ``napari-vbmd``.

    Raises
    ------
    UsageError
        When they make no sense; one line.
    SystemExit
        After ``--help`` and ``--version``.
    """
    return build_parser().parse_args(_joined(words))


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="napari-vbmd",
        description="Volumetric bone mineral density of the metacarpals from HR-pQCT hand scans.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"napari-vbmd {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_info, _segment, _measure, _run, _demo):
        add(commands)
    phantom.add_options(_command(commands, "phantom", phantom.SUMMARY))
    deidentify.add_options(_command(commands, "deidentify", deidentify.SUMMARY))
    contour_script.add_options(_command(commands, "contour-script", contour_script.SUMMARY))
    agree.add_options(_command(commands, "agree", agree.SUMMARY))
    batch.add_options(_command(commands, "batch", batch.SUMMARY), _add_method, _add_calibration)
    studied = commands.add_parser("cohort", help=cohort.SUMMARY, epilog=_EPILOG)
    cohort.add_options(studied, _command, _add_calibration)
    evaluate.add_options(_command(commands, "evaluate", evaluate.SUMMARY), _add_calibration)
    preference.add_options(_command(commands, "preference", preference.SUMMARY))
    train.add_options(_command(commands, "train", train.SUMMARY), _add_calibration)
    return parser


def _info(commands) -> None:
    command = _command(commands, "info", "what a scan or mask says about itself")
    command.add_argument(
        "scan", type=Path, metavar="FILE", help="a scan, a mask, or a DICOM folder"
    )
    command.add_argument(
        "--identify", action="store_true", help="show what names the patient in the header, too"
    )
    _add_calibration(command)


def _segment(commands) -> None:
    command = _command(commands, "segment", "make a mask on the scan's grid")
    command.add_argument("scan", type=Path, metavar="SCAN")
    command.add_argument(
        "out", type=Path, metavar="OUT", help="the mask: .aim, .nii.gz, .nii, .nrrd or .mha"
    )
    _add_method(command)
    _add_calibration(command)


def _measure(commands) -> None:
    command = _command(commands, "measure", "density of a mask, and agreement with an expert's")
    command.add_argument("scan", type=Path, metavar="SCAN")
    command.add_argument("mask", type=Path, metavar="MASK")
    command.add_argument("--expert", type=Path, metavar="MASK", help="compare with this mask")
    command.add_argument("--label", type=_label, metavar="N", help="measure this label only")
    command.add_argument("--csv", type=_csv_path, metavar="FILE", help="write one row of numbers")
    command.add_argument(
        "--report",
        type=Path,
        action="append",
        metavar="FILE",
        help="write the one-page report: .html or .pdf; may be given twice",
    )
    _add_parts(command)
    _add_calibration(command)


def _add_parts(command) -> None:
    """The options of `measure` that add rows and columns."""
    group = command.add_argument_group("beyond one number (docs/measurements.md)")
    group.add_argument(
        "--compartments",
        action="store_true",
        help="cortical and trabecular numbers, split by two thresholds or by --trabecular",
    )
    group.add_argument(
        "--trabecular", type=Path, metavar="MASK", help="with --compartments: split by this mask"
    )
    group.add_argument("--per-label", action="store_true", help="every label of MASK by itself")
    group.add_argument(
        "--regions",
        type=float,
        metavar="MM",
        help="head and shaft apart: the head is this long along z",
    )
    group.add_argument(
        "--tip",
        choices=("first", "last"),
        default="first",
        help="the slice of MASK at which the head ends; default first",
    )


def _run(commands) -> None:
    command = _command(commands, "run", "segment, post-process, measure, report: one patient")
    command.add_argument("scan", type=Path, metavar="SCAN")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    command.add_argument("--expert", type=Path, metavar="MASK", help="compare with this mask")
    command.add_argument(
        "--compartments",
        action="store_true",
        help="cortical and trabecular numbers, too (docs/measurements.md)",
    )
    command.add_argument(
        "--motion-grade",
        type=int,
        choices=range(1, 6),
        metavar="N",
        help="motion from 1 (none) to 5 (severe), as you graded it, for the report",
    )
    _add_method(command)
    _add_calibration(command)


def _demo(commands) -> None:
    command = _command(commands, "demo", "the whole job on a synthetic bone, nothing else needed")
    command.add_argument(
        "--out",
        type=Path,
        default=Path("demo_output"),
        metavar="DIR",
        help="for the results (default: demo_output)",
    )
    command.add_argument("--viewer", action="store_true", help="open napari on the result")
    _add_choice(command)
    command.set_defaults(slices=None, keep_largest=True, close_holes=True)


def _command(commands, name: str, summary: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=_EPILOG
    )
    command.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    command.add_argument("--quiet", action="store_true", help="no progress, no notes")
    return command


def _add_calibration(command) -> None:
    group = command.add_argument_group("calibration, for files that carry none or a wrong one")
    group.add_argument("--unit", choices=_UNITS, help="what the stored values are")
    for option, meaning in _CONSTANTS:
        group.add_argument(option, type=float, metavar="NUMBER", help=meaning)


def _add_method(command) -> None:
    _add_choice(command)
    command.add_argument(
        "--slices",
        type=_slices,
        metavar="FIRST:LAST",
        help="look at these slices only, inclusive; or the text header (write_part header) of a "
        "mask that covers them",
    )
    command.add_argument(
        "--threshold",
        type=float,
        metavar="NUMBER",
        help="of a network: probability, 0 to 1; of contour: density of the edge [mg HA/cm3]",
    )
    _add_contour(command.add_argument_group("the method contour"))
    _add_post_processing(command.add_argument_group("post-processing, done unless switched off"))


def _add_choice(command) -> None:
    """The method, and what its network needs."""
    command.add_argument(
        "--method",
        metavar="NAME",
        help="unet-2d, unet-2d-pretrained, unet-3d or contour; default: the shipped network with "
        "the best held-out Dice",
    )
    group = command.add_argument_group("methods with a network")
    group.add_argument("--weights", type=Path, metavar="FILE", help="instead of those shipped")
    group.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), help="default auto: the GPU where there is one"
    )
    group.add_argument(
        "--runtime",
        choices=("auto", "torch", "onnx"),
        help="on the CPU; default auto: ONNX Runtime where it is installed and faster",
    )
    group.add_argument(
        "--side",
        choices=("left", "right", "auto"),
        help="of the hand; default auto: what the header says, never a guess",
    )


def _add_post_processing(group) -> None:
    for option, meaning in (
        ("--keep-largest", "keep the largest piece only"),
        ("--close-holes", "close gaps of the outline and fill what is enclosed"),
    ):
        group.add_argument(
            option, action=argparse.BooleanOptionalAction, default=True, help=meaning
        )


def _add_contour(group) -> None:
    group.add_argument(
        "--seed", type=_voxel, metavar="Z,Y,X", help="a voxel in the bone that is wanted"
    )
    for option, meaning in (
        ("--denoise", "SD of the Gaussian before the threshold"),
        ("--closing", "radius of the ball that closes the shell"),
        ("--opening", "radius of the ball that takes off spurs"),
        ("--smoothing", "SD of the Gaussian that rounds the outline"),
    ):
        group.add_argument(option, type=float, metavar="MM", help=f"{meaning} [mm]")
    group.add_argument(
        "--slicewise",
        action="store_true",
        default=None,
        help="close, open and smooth slice by slice, not in 3D",
    )
    group.add_argument(
        "--no-separate",
        action="store_false",
        dest="separate",
        default=None,
        help="do not look for a neck between two bones",
    )


def _slices(text: str) -> tuple[int, int] | Path:
    if Path(text).is_file():  # resolved when the scan is known: see `slice_file`
        return Path(text)
    return _whole_numbers(text, ":", 2, "FIRST:LAST, such as 40:120")


def _voxel(text: str) -> tuple[int, int, int]:
    return _whole_numbers(text, ",", 3, "Z,Y,X, such as 60,210,190")


def _label(text: str) -> int:
    (label,) = _whole_numbers(text, ",", 1, "a label from 1 to 255")
    if not 1 <= label <= 255:
        raise argparse.ArgumentTypeError(f"{text!r} is not a label from 1 to 255")
    return label


def _csv_path(text: str) -> Path:
    if not text.lower().endswith(".csv"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .csv")
    return Path(text)


def _whole_numbers(text: str, separator: str, count: int, form: str) -> tuple[int, ...]:
    parts = text.split(separator)
    try:
        numbers = tuple(int(part) for part in parts)
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise argparse.ArgumentTypeError(f"{text!r} is not {form}")
    return numbers


def _joined(words: Sequence[str]) -> list[str]:
    """Tie a negative number to its option: argparse takes ``-3.9e+02`` for an option."""
    joined: list[str] = []
    for word in words:
        after_option = bool(joined) and joined[-1] in dict(_CONSTANTS)
        if after_option and word.startswith("-") and _is_number(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
