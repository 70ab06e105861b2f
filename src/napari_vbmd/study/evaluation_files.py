"""What an evaluation leaves in its folder: tables for people and for programs, and the curves."""

import json
from pathlib import Path

import pandas as pd

from ..io.atomic import written_whole
from ..io.results import written_together
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
    summaries = summary_of(evaluation)
    content = {
        **about,
        **({"note": NOT_PATIENTS} if synthetic else {}),
        "not_opened": evaluation.failed,
        "summaries": summaries,
    }
    pooled = {
        contender.name: counted
        for which, contender in enumerate(evaluation.contenders)
        if (counted := evaluation.curves(which)) is not None and counted.auc is not None
    }
    with written_together(folder, FILES) as staging:
        _text(staging / "scores.csv", _csv(evaluation.rows()))
        _text(staging / "slices.csv", _csv(evaluation.slice_rows()))
        _text(staging / "evaluation.json", json.dumps(content, indent=2, allow_nan=False) + "\n")
        _text(staging / "evaluation.md", markdown(summaries, synthetic))
        if pooled:
            curve_figure(pooled).savefig(staging / "curves.png")
    return content


def keep_scores(evaluation: Evaluation, folder: str | Path) -> None:
    """Write scores.csv with the scans so far: hours of work are not lost with the last scan.

    Raises
    ------
    WriteError
    """
    with written_whole(Path(folder) / FILES[0]) as part:
        _text(part, _csv(evaluation.rows()))


def _csv(rows: list[dict]) -> str:
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
