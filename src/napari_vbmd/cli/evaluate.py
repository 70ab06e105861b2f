"""The command `evaluate`: methods beside the expert, over the scans of a manifest."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ParameterError
from ..io.results import check_folder
from .cohort import add_choices
from .console import Console

SUMMARY = "try methods on the scans of a manifest, beside the expert's masks"
_FULL, _SMALL = (0.082,) * 3, (0.246,) * 3  # voxels of a drawn hand [mm]


def add_options(command: argparse.ArgumentParser, add_calibration: Callable) -> None:
    """What may be typed after ``evaluate``."""
    command.add_argument(
        "manifest", type=Path, metavar="MANIFEST.csv", help="a row a scan; see docs/training.md"
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    command.add_argument(
        "--method",
        action="append",
        required=True,
        metavar="NAME[=WEIGHTS]",
        help="a method, or one with a weights file; may be given several times, and once for each "
        "seed it was trained with",
    )
    command.add_argument(
        "--slices",
        choices=("found", "expert", "both"),
        default="found",
        help="search the whole scan, or look at the expert's slices only, as published "
        "(default: found)",
    )
    command.add_argument(
        "--threshold",
        type=_threshold,
        metavar="NUMBER|paper|validation",
        help="of networks: a probability; “paper” for 0.8; “validation” for the point of the "
        "precision-recall curve of the validation scans that is nearest to (1, 1); default: what "
        "the weights go with",
    )
    command.add_argument(
        "--split",
        choices=("test", "validation", "training", "all"),
        default="test",
        help="which scans of the cohort (default: test)",
    )
    command.add_argument(
        "--size",
        choices=("full", "small"),
        default="full",
        help="of synthetic hands: at the scanner's 0.082 mm, or at 0.246 mm (default: full)",
    )
    command.add_argument("--label", type=int, metavar="N", help="of the masks, if they have many")
    command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add_choices(command)
    add_calibration(command)


def run(
    arguments: argparse.Namespace, calibration: dict[str, Any] | None, console: Console
) -> tuple[dict[str, Any], str]:
    """The content of ``--json``, and the same for people."""
    from ..study.cohort import cohort_of
    from ..study.evaluation import evaluate
    from ..study.evaluation_files import keep_scores, write_evaluation
    from ..study.manifest import read_manifest
    from ..study.phantoms import is_phantom

    cohort = cohort_of(
        read_manifest(arguments.manifest), arguments.split_seed, arguments.most_motion
    )
    cases = cohort.cases if arguments.split == "all" else cohort.part(arguments.split)
    if not cases:
        raise ParameterError(f"{arguments.manifest}: no scan in the part {arguments.split}")
    contenders = _contenders(arguments)
    patients = partial(_patients, arguments=arguments, calibration=calibration)
    if arguments.threshold == "validation":
        contenders = _with_thresholds(contenders, patients(cohort.part("validation")), console)
    check_folder(arguments.out)  # before hours of work, not after
    arguments.out.mkdir(parents=True, exist_ok=True)
    keep = partial(keep_scores, folder=arguments.out)
    evaluation = evaluate(patients(cases), contenders, console.progress, keep)
    about = {
        "manifest": arguments.manifest.name,
        "split": arguments.split,
        "size": arguments.size,
        "threshold": arguments.threshold or "of the weights",
    }
    synthetic = any(is_phantom(case) for case in cases)
    content = write_evaluation(evaluation, arguments.out, about, synthetic)
    text = (arguments.out / "evaluation.md").read_text(encoding="utf-8")
    for case, reason in evaluation.failed.items():
        console.note(f"left out: {case}: {reason}")
    return content, text


def _contenders(arguments) -> list:
    from ..segmentation.methods import METHODS
    from ..segmentation.network_method import NetworkParameters
    from ..study.evaluation import Contender

    threshold = arguments.threshold if isinstance(arguments.threshold, float) else None
    threshold = 0.8 if arguments.threshold == "paper" else threshold
    within = {"found": (False,), "expert": (True,), "both": (False, True)}[arguments.slices]
    contenders = []
    for text in arguments.method:
        name, _, weights = text.partition("=")
        parameters = None
        if name in METHODS and METHODS[name].parameters is NetworkParameters:
            parameters = NetworkParameters(threshold, "auto", arguments.device, weights or None)
        elif weights:
            raise ParameterError(f"--method {text}: {name} takes no weights")
        called = _short(weights, [one.partition("=")[2] for one in arguments.method])
        contenders += [Contender(name, parameters, called, each) for each in within]
    return contenders


def _short(weights: str, all_weights: list[str]) -> str:
    """The end of a path that no other has: every training calls its weights best.pt."""
    if not weights:
        return ""
    parts = Path(weights).parts
    others = [Path(other).parts for other in all_weights if other not in ("", weights)]
    for count in range(1, len(parts) + 1):
        if all(other[-count:] != parts[-count:] for other in others):
            return "/".join(parts[-count:])
    return weights


def _patients(cases, arguments, calibration) -> list:
    from ..study.cohort import patient_of
    from ..study.evaluation import Patient
    from ..study.phantoms import is_phantom
    from ..study.sources import open_example

    spacing = _FULL if arguments.size == "full" else _SMALL
    return [
        Patient(
            case.key,  # file names alone may occur twice
            f"{patient_of(case)} {case.side or ''}".strip(),
            partial(open_example, case, spacing, calibration, arguments.label),
            patient_of(case) if is_phantom(case) else case.other.get("repeats", ""),
        )
        for case in cases
    ]


def _with_thresholds(contenders, patients, console: Console) -> list:
    """Each network at the threshold that is best on the validation scans."""
    from ..study.evaluation import evaluate

    if not patients:
        raise ParameterError("--threshold validation: the cohort has no scans for validation")
    tried = evaluate(patients, contenders, console.progress)
    chosen = []
    for which, contender in enumerate(contenders):
        curves = tried.curves(which)
        best = curves.best_threshold() if curves is not None else None
        if best is None:
            chosen.append(contender)
            continue
        console.note(f"{contender.name}: threshold {best:.3f}")
        parameters = replace(contender.parameters, threshold=best)
        chosen.append(replace(contender, parameters=parameters))
    return chosen


def _threshold(text: str) -> float | str:
    if text in ("paper", "validation"):
        return text
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no probability between 0 and 1, nor “paper” or “validation”"
        )
    return value
