"""The tables of an evaluation, for people: beside what is published."""

from ..measurement.estimate import LEVEL

# Folle et al. 2021 (Sci Rep 11:9697), Table 1 and its text: 54 patients, SD over three seeds, in
# slices that a person had marked
PUBLISHED = {
    "2D U-Net": {"dice": "0.965 (0.006)", "iou": "0.933 (0.009)", "auc": "0.996 (0.005)"},
    "3D U-Net": {"dice": "0.969 (0.002)", "iou": "0.937 (0.003)", "auc": "0.998 (0.001)"},
    "2D U-Net, pre-trained": {"dice": "0.972", "iou": "0.943", "auc": "0.999"},
}
PUBLISHED_D100 = {
    "bias": "-14 (-5 %)",
    "pearson": "0.999",
    "spearman": "0.996",
    "icc": "0.947",
}
NOT_PATIENTS = (
    "Numbers on synthetic hands are not numbers on patients: they show that a method does what it "
    "should where the answer is known."
)
_OVERLAP = (
    ("dice", "Dice", 3),
    ("iou", "IoU", 3),
    ("auc", "AUC", 4),
    ("sensitivity", "Sensitivity", 3),
    ("specificity", "Specificity", 5),
    ("precision", "Precision", 3),
    ("accuracy", "Accuracy", 5),
    ("hd95_mm", "HD95, mm", 2),
    ("assd_mm", "ASSD, mm", 3),
    ("volume_difference_percent", "Volume, %", 1),
    ("seconds", "Seconds", 1),
)


def markdown(summaries: list[dict], synthetic: bool) -> str:
    """The whole of evaluation.md.

    Parameters
    ----------
    summaries : list of dict
        As `evaluation.summary_of` makes them.
    synthetic : bool
        Whether any of the scans is a synthetic hand.
    """
    parts = ["# Evaluation", ""]
    if synthetic:
        parts += [NOT_PATIENTS, ""]
    parts += ["## Overlap", "", *_table(_overlap_rows(summaries)), ""]
    parts += [
        "Mean over the scans; in brackets the SD over the seeds where there are several, else over "
        "the scans. Published: 54 patients, SD over three seeds, within slices marked by a person.",
        "",
    ]
    parts += ["## D100", "", *_table(_density_rows(summaries)), ""]
    parts += [
        f"Ours minus the expert's, mg HA/cm3, with its {LEVEL:.0%} confidence interval; limits of "
        "agreement; published: 30 patients.",
        "",
    ]
    parts += ["## Slice range", "", *_table(_range_rows(summaries)), ""]
    parts += ["Ours minus the expert's, in slices of the scan.", ""]
    repeats = _repeat_rows(summaries)
    if repeats:
        parts += ["## Repeated scans", "", *_table(repeats), ""]
        parts += [
            "Precision error of D100 over scans of one hand, taken out and put back. The expert's "
            "is that of a mask that makes no error: what the scanner and the new range alone do.",
            "",
        ]
    failed = [f"- {one['method']}: {one['failed']} of {one['scans']} scans" for one in summaries]
    if any(one["failed"] for one in summaries):
        parts += ["## Without a mask", "", *failed, "", "The reasons are in scores.csv.", ""]
    return "\n".join(parts)


def _overlap_rows(summaries: list[dict]) -> list[list[str]]:
    head = ["", "scans", *(title for _, title, _ in _OVERLAP)]
    rows = [head]
    for one in summaries:
        count = one["scans"] - one["failed"]
        cells = [_mean_sd(one["numbers"][name], digits) for name, _, digits in _OVERLAP]
        rows.append([one["method"], str(count), *cells])
    for name, numbers in PUBLISHED.items():
        cells = [numbers.get(key, "") for key, _, _ in _OVERLAP]
        rows.append([f"published: {name}", "54", *cells])
    return rows


def _density_rows(summaries: list[dict]) -> list[list[str]]:
    rows = [["", "n", "bias", "%", "limits", "Pearson", "Spearman", "ICC"]]
    for one in summaries:
        d100 = one["d100"]
        bland = d100["bland_altman"]
        limits = [bland[f"{end}_limit"]["value"] for end in ("lower", "upper")]
        rows.append(
            [
                one["method"],
                str(d100["n"]),
                _with_interval(bland["bias"], 2),
                _number(bland["bias_percent"]["value"], 2, "+"),
                "" if None in limits else f"{limits[0]:+.1f} to {limits[1]:+.1f}",
                _number(d100["pearson"]["value"], 4),
                _number(d100["spearman"]["value"], 4),
                _with_interval(d100["icc"], 4),
            ]
        )
    it = PUBLISHED_D100
    rows.append(["published", "30", it["bias"], "", "", it["pearson"], it["spearman"], it["icc"]])
    return rows


def _range_rows(summaries: list[dict]) -> list[list[str]]:
    rows = [["", "first: mean", "mean abs.", "largest", "last: mean", "mean abs.", "largest"]]
    for one in summaries:
        cells = []
        for end in ("first", "last"):
            errors = one["range"][end]
            cells += [_number(errors["mean"], 1, "+"), _number(errors["mean_absolute"], 1)]
            cells.append("" if errors["largest"] is None else str(errors["largest"]))
        rows.append([one["method"], *cells])
    return rows


def _repeat_rows(summaries: list[dict]) -> list[list[str]]:
    rows = [["", "hands", "scans", "RMS SD", "RMS %CV", "least significant change"]]
    for one in summaries:
        repeats = one["repeats"] or {}
        for who, precision in repeats.items():
            rows.append(
                [
                    one["method"] if who == "ours" else f"{one['method']}: expert's mask",
                    str(precision["patients"]),
                    str(precision["measurements"]),
                    _with_interval(precision["rms_sd"], 2),
                    _with_interval(precision["rms_cv_percent"], 2),
                    _number(precision["lsc"]["value"], 2),
                ]
            )
    return rows if len(rows) > 1 else []


def _table(rows: list[list[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]]


def _mean_sd(number: dict, digits: int) -> str:
    if number["mean"] is None:
        return ""
    sd = number["sd_seeds"] if number["sd_seeds"] is not None else number["sd_scans"]
    return f"{number['mean']:.{digits}f}" + ("" if sd is None else f" ({sd:.{digits}f})")


def _with_interval(estimate: dict, digits: int) -> str:
    if estimate["value"] is None:
        return ""
    text = f"{estimate['value']:.{digits}f}"
    if estimate["ci95"] is None:
        return text
    low, high = estimate["ci95"]
    return f"{text} ({low:.{digits}f} to {high:.{digits}f})"


def _number(value: float | None, digits: int, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.{digits}f}"
