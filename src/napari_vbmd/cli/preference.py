"""The command `preference`: what the answers of blinded ratings come to."""

import argparse
from pathlib import Path
from typing import Any

SUMMARY = "whose masks a rater prefers, from the answers of a blinded rating"


def add_options(command: argparse.ArgumentParser) -> None:
    """What may be typed after ``preference``."""
    command.add_argument(
        "answers", type=Path, nargs="+", metavar="ANSWERS.CSV", help="as the dock Rate writes them"
    )


def summaries(arguments: argparse.Namespace) -> list:
    """A `Summary` for each rater; raters are never pooled, as they rate the same pairs."""
    from ..study.answers import read_answers
    from ..study.summary import by_rater

    return by_rater([answer for path in arguments.answers for answer in read_answers(path)])


def content(found: list) -> dict[str, Any]:
    """The content of ``--json``."""
    return {"raters": [summary.to_dict() for summary in found]}


def text(found: list) -> str:
    """The summaries for people."""
    return "\n\n".join(f"rater {summary.rater}\n{summary.text()}" for summary in found)
