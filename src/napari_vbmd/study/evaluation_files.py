"""What an evaluation leaves in its folder: tables for people and for programs, and the curves."""

import json
from pathlib import Path

import pandas as pd

from ..errors import WriteError
from ..io.atomic import written_whole
from ..report.curve_figures import curve_figure
from .evaluation import Evaluation, summary_of
from .evaluation_table import NOT_PATIENTS, markdown

FILES = ("scores.csv", "slices.csv", "evaluation.json", "evaluation.md", "curves.png")


def write_evaluation(
    evaluation: Evaluation, folder: str | Path, about: dict, synthetic: bool
) -> dict:
    """Write all tables, each whole or not at all.

    Parameters
    ----------
    evaluation : Evaluation
    folder : path
        Made where it is missing.
    about : dict
        What was evaluated and how, for evaluation.json.
    synthetic : bool
        Whether any of the scans is a synthetic hand.

    Returns
    -------
    dict
        The content of evaluation.json.

    Raises
    ------
    WriteError
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise WriteError(f"{folder}: cannot be made: {reason}; choose another folder") from error
    summaries = summary_of(evaluation)
    content = {
        **about,
        **({"note": NOT_PATIENTS} if synthetic else {}),
        "not_opened": evaluation.failed,
        "summaries": summaries,
    }
    _text(folder / "scores.csv", _csv(evaluation.rows()))
    _text(folder / "slices.csv", _csv(evaluation.slice_rows()))
    _text(folder / "evaluation.json", json.dumps(content, indent=2, allow_nan=False) + "\n")
    _text(folder / "evaluation.md", markdown(summaries, synthetic))
    pooled = {
        contender.name: counted
        for which, contender in enumerate(evaluation.contenders)
        if (counted := evaluation.curves(which)) is not None and counted.auc is not None
    }
    if pooled:
        with written_whole(folder / "curves.png", ".png") as part:
            curve_figure(pooled).savefig(part)
    return content


def _csv(rows: list[dict]) -> str:
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def _text(path: Path, text: str) -> None:
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
