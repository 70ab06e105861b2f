"""The table of a batch: a row for each patient as it comes, and what must not be pooled."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WriteError
from ..io.atomic import written_whole
from ..measurement.compartments import Compartments
from ..measurement.part_tables import compartment_cells
from ..measurement.tables import BESIDE_OVERLAP, COMPARTMENTS, DENSITIES, OVERLAPS, csv_text
from .batch_case import CONSTANTS, SKIPPED, BatchCase, Outcome
from .csv_rows import read_rows
from .manifest import Case, relative_to

TABLE = "batch.csv"
_DIFFERENCES = (
    "expert_tt_vbmd_mg_cm3",
    "difference_mg_cm3",
    "difference_common_slices_mg_cm3",
    "expert_mean_slice_area_mm2",
)
COLUMNS = (
    *("patient", "scan", "mask", "expert", "side", "status", "reason", "group", "flags"),
    *(quantity.key for quantity in DENSITIES),
    *("first_slice", "last_slice", "slice_count"),
    *(quantity.key for quantity in (*OVERLAPS, *BESIDE_OVERLAP)),
    *_DIFFERENCES,
    *("warnings", "scanner", "voxel_z_mm", "voxel_y_mm", "voxel_x_mm", "unit_stored"),
    *CONSTANTS,
    *("seconds", "method", "weights_sha256", "napari_vbmd", "scan_sha256", "expert_sha256"),
)
_PARTS = (*(quantity.key for quantity in COMPARTMENTS), "compartments_method", "missing")
_ALIKE = {  # what scans of one group have in common, and how it is called
    "scanner": ("scanner",),
    "voxel size": ("voxel_z_mm", "voxel_y_mm", "voxel_x_mm"),
    "calibration": ("unit_stored", *CONSTANTS),
    "weights": ("weights_sha256",),
    "version of napari-vbmd": ("napari_vbmd",),
}


@dataclass(frozen=True)
class Group:
    """Scans that may be pooled.

    Attributes
    ----------
    number : int
        From 1 on, the largest first.
    scans : int
    values : dict of str to str
        What they have in common, by what it is called.
    """

    number: int
    scans: int
    values: dict[str, str]

    def text(self, named: Iterable[str]) -> str:
        """One line for people, with those of the values that are named."""
        said = "; ".join(f"{name} {self.values[name] or 'not said'}" for name in named)
        return f"group {self.number}: {self.scans} scan{'s' * (self.scans != 1)}: {said}"


def row_of(case: Case, job: BatchCase, outcome: Outcome, folder: Path) -> dict[str, Any]:
    """One patient as a row of the table in ``folder``; what is not known is None.

    ``seconds`` are those of the run that made the results, so of an earlier one where it was
    skipped. ``mask`` is ours, and paths are relative to the table, as the dock Agreement opens
    them.
    """
    measured, record, facts = outcome.measurement, outcome.record, outcome.facts
    row: dict[str, Any] = dict.fromkeys(columns_of(job))
    row |= {
        "patient": case.patient or job.name,
        "scan": relative_to(case.scan, folder),
        "expert": relative_to(job.expert, folder),
        "side": case.side or facts.get("side"),
        "status": outcome.status,
        "reason": outcome.reason,
        "method": job.settings.method,
        "seconds": round(outcome.seconds, 1),
    }
    if facts:
        row["scanner"] = facts["scanner"]
        for axis, spacing in zip("zyx", facts["spacing_mm"], strict=True):
            row[f"voxel_{axis}_mm"] = round(spacing, 6)
        row |= {name: facts[name] for name in ("unit_stored", *CONSTANTS)}
    return row | _numbers(measured) | _record(record, job, outcome, folder)


def columns_of(job: BatchCase) -> tuple[str, ...]:
    """The columns of a batch: with the compartments where they were asked for."""
    parts = _PARTS if job.settings.compartments else ()
    return (*COLUMNS, *parts)


def write_table(rows: Iterable[Mapping[str, Any]], path: Path) -> list[Group]:
    """Write the table, whole or not at all, with each row's group; gives the groups.

    Raises
    ------
    WriteError
    """
    rows = [dict(row) for row in rows]
    groups = _grouped(rows)
    text = csv_text(rows) if rows else ",".join(COLUMNS) + "\n"
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    return groups


def differing(groups: list[Group]) -> list[str]:
    """What is not the same in all groups."""
    return [name for name in _ALIKE if len({group.values[name] for group in groups}) > 1]


def check_table(path: Path) -> None:
    """Refuse to write over a file that is no older table of a batch.

    Raises
    ------
    WriteError
    """
    if not path.exists():
        return
    try:
        columns = read_rows(path)[0]
    except ValueError:
        columns = ()
    if not {"scan", "status", "reason", "tt_vbmd_mg_cm3"} <= set(columns):
        raise WriteError(
            f"{path}: not a table of a batch, so it is not replaced; choose another folder"
        )


def _numbers(measured: Mapping[str, Any]) -> dict[str, Any]:
    if not measured:
        return {}
    numbers = {quantity.key: measured.get(quantity.key) for quantity in DENSITIES}
    slices = measured["slices"]
    numbers |= {f"{end}_slice": slices[end] for end in ("first", "last")}
    numbers["slice_count"] = slices["count"]
    if "overlap" in measured:
        overlap = measured["overlap"]
        numbers |= {q.key: overlap.get(q.key) for q in (*OVERLAPS, *BESIDE_OVERLAP)}
        numbers |= {name: measured.get(name) for name in _DIFFERENCES[:3]}
        numbers[_DIFFERENCES[3]] = measured["expert"].get("mean_slice_area_mm2")
    if "compartments" in measured:
        numbers |= compartment_cells(Compartments(**measured["compartments"]))
    return numbers


def _record(record: Mapping[str, Any], job: BatchCase, outcome: Outcome, folder: Path) -> dict:
    if not record:
        return {}
    mask = "mask.aim" if "mask.aim" in record["outputs"] else "mask.nii.gz"
    found = {
        "mask": relative_to(job.folder / mask, folder),
        "warnings": "; ".join(record["warnings"]),
        "weights_sha256": record["weights"] and record["weights"]["sha256"],
        "napari_vbmd": record["software"].get("napari-vbmd"),
        "scan_sha256": record["scan"]["sha256"],
        "expert_sha256": record["expert"] and record["expert"]["sha256"],
    }
    if outcome.status == SKIPPED:
        found["seconds"] = round(sum(record["seconds"].values()), 1)
    return found


def _grouped(rows: list[dict[str, Any]]) -> list[Group]:
    """The groups of the rows that have numbers; the rows are told theirs, and their flags."""
    measured = [row for row in rows if row["scan_sha256"]]
    kinds = [{name: _text(row, columns) for name, columns in _ALIKE.items()} for row in measured]
    counted = Counter(tuple(kind.values()) for kind in kinds)
    order = {values: i + 1 for i, (values, _) in enumerate(counted.most_common())}
    groups = [
        Group(i, counted[values], dict(zip(_ALIKE, values, strict=True)))
        for values, i in order.items()
    ]
    copies = Counter(row["scan_sha256"] for row in measured)
    for row, kind in zip(measured, kinds, strict=True):
        row["group"] = order[tuple(kind.values())]
        flags = [
            f"{name} {value or 'not said'}, of most scans {most or 'not said'}"
            for (name, value), most in zip(kind.items(), groups[0].values.values(), strict=True)
            if value != most
        ]
        if copies[row["scan_sha256"]] > 1:
            flags.append(f"{copies[row['scan_sha256']]} rows have this very scan")
        row["flags"] = "; ".join(flags)
    return groups


def _text(row: Mapping[str, Any], columns: Iterable[str]) -> str:
    """The values of some columns as text, numbers to six digits, so that equal ones read equal."""
    values = [row[column] for column in columns if row[column] not in (None, "")]
    texts = [f"{v:.6g}" if isinstance(v, float | int) else str(v)[:64] for v in values]
    return " ".join(dict.fromkeys(texts)) if columns[0].startswith("voxel") else " ".join(texts)
