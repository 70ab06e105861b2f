"""The command `train`: a network from a manifest."""

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .cohort import add_choices
from .console import Console, aligned

SUMMARY = "train a network on the scans of a manifest, or go on with its training"
_NETWORKS = ("unet-2d", "unet-2d-pretrained", "unet-3d", "unet-2d-fine")


def add_options(command: argparse.ArgumentParser, add_calibration: Callable) -> None:
    """What may be typed after ``train``."""
    command.add_argument(
        "manifest", type=Path, metavar="MANIFEST.csv", help="a row a scan; see docs/training.md"
    )
    command.add_argument("--configuration", required=True, metavar="NAME", help=_or(_NETWORKS))
    command.add_argument(
        "--preset",
        default="improved",
        metavar="NAME",
        help="improved (whole scans, soft labels, augmentation; the default) or paper (as "
        "published)",
    )
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="for weights, metrics and checkpoint; with a checkpoint in it the training goes on",
    )
    _add_length(command.add_argument_group("how long and how fast; the preset's unless given"))
    _add_place(command.add_argument_group("where it runs, passed on to Lightning"))
    data = command.add_argument_group("the cohort")
    add_choices(data)
    data.add_argument("--label", type=int, metavar="N", help="of the masks, where they have many")
    data.add_argument(
        "--validation", type=int, metavar="N", help="validate on so many scans (default: all)"
    )
    data.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="for the pre-processed volumes; trainings may share it (default: DIR/volumes)",
    )
    data.add_argument(
        "--encoder",
        type=Path,
        metavar="FILE",
        help="torchvision's resnet34 for unet-2d-pretrained (default: downloaded)",
    )
    add_calibration(command)


def run(
    arguments: argparse.Namespace,
    calibration: dict[str, Any],
    words: Sequence[str],
    console: Console,
) -> tuple[dict[str, Any], str] | None:
    """The content of ``--json``, and the same for people; None in a process of another's."""
    from ..study.cohort import cohort_of
    from ..study.device import is_first_process
    from ..study.manifest import read_manifest
    from ..study.train import BEST, train

    settings = _settings(arguments, calibration)
    manifest = read_manifest(arguments.manifest)
    cohort = cohort_of(manifest, arguments.split_seed, arguments.most_motion)
    if not is_first_process():
        console = Console(quiet=True)
    for note in cohort.notes:
        console.note(f"note: {note}")
    record = train(cohort, settings, console.progress, words)
    if record is None:
        return None
    weights = settings.out / BEST
    content = record | {"out": str(settings.out)}
    content["weights"] = str(weights) if weights.is_file() else None
    return content, _text(content)


def _settings(arguments: argparse.Namespace, calibration: dict[str, Any]):
    from ..study.train import TrainSettings

    names = (
        *("out", "configuration", "preset", "steps", "every", "batch", "rate", "seed", "minutes"),
        *("validation", "label", "cache", "encoder", "workers"),
        *("device", "devices", "strategy", "precision"),
    )
    chosen = {name: getattr(arguments, name) for name in names}
    known = {name: value for name, value in calibration.items() if value is not None}
    return TrainSettings(**chosen, calibration=known)


def _add_length(group) -> None:
    group.add_argument("--steps", type=int, metavar="N", help="in all")
    group.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="N",
        help="stop after so many; the same command goes on",
    )
    group.add_argument("--every", type=int, metavar="N", help="steps between validations")
    group.add_argument("--batch", type=int, metavar="N", help="scans a step, for each process")
    group.add_argument("--rate", type=float, metavar="NUMBER", help="highest learning rate")
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all chance but the split (default: 0)"
    )


def _add_place(group) -> None:
    group.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="default auto: the GPU where there is one",
    )
    group.add_argument(
        "--devices", default="1", metavar="N", help="how many, or which: 2, or 0,3 (default: 1)"
    )
    group.add_argument(
        "--strategy", default="auto", metavar="NAME", help="auto or ddp (default: auto)"
    )
    group.add_argument(
        "--precision",
        default="auto",
        metavar="NAME",
        help="32-true, 16-mixed, bf16-mixed, …; default auto: mixed on a GPU, 32-true on the CPU",
    )
    group.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="processes that prepare scans and draw batches beside the training (default: 0)",
    )


def _text(content: dict[str, Any]) -> str:
    """`run` for people."""
    best = content["best"]
    rows = [
        ("trained on", content["trained_on"]),
        ("steps", f"{content['step']} of {content['steps']}, {content['seconds']:.0f} s"),
        ("ran on", content["device"]),
    ]
    if best:
        dice = f"{best['validation_dice']:.4f}, on {content['cohort']['validation']} scans"
        rows.append(("best validation Dice", f"{dice}, at step {best['step']}"))
    rows.append(("weights", content["weights"] or "none yet"))
    text = aligned(rows)
    if content["ending"] != "finished":
        text += f"\n\n{content['ending']}: the same command goes on"
    return text


def _or(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
