"""train.json: settings, data, versions and machine of a training, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..io.atomic import written_whole
from ..provenance import as_json, file_hash, machine, software_versions
from .batches import Plan
from .cohort import TRAINING, Cohort, patient_of
from .device import describe
from .manifest import Case
from .phantoms import is_phantom
from .task import Task
from .train_settings import TrainSettings
from .volumes import Volume

if TYPE_CHECKING:
    from lightning_fabric import Fabric

RECORD, COHORT = "train.json", "cohort.csv"


def record_of(
    cohort: Cohort,
    settings: TrainSettings,
    plan: Plan,
    task: Task,
    fabric: "Fabric",
    training: Sequence[Volume],
    validation: Sequence[Volume],
) -> dict[str, Any]:
    """All that a repetition needs, ready for JSON; paths without their folders."""
    chosen = {
        name: value
        for name, value in asdict(settings).items()
        if name not in ("out", "cache", "encoder")
    }
    return {
        "date_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": chosen | {k: v for k, v in asdict(plan).items() if k != "workers"},
        "encoder": file_hash(settings.encoder) if settings.encoder else None,
        "trained_on": f"{_what(cohort.part(TRAINING))}, preset {settings.preset}",
        "cohort": {
            "manifest": cohort.manifest.path.name,
            "sha256": file_hash(cohort.manifest.path),
            "training": len(training),
            "validation": len(validation),
            "left_out": len(cohort.left_out),
            "notes": list(cohort.notes),
        },
        "normalisation": asdict(task.normalisation),
        "device": describe(fabric),
        "machine": machine(),
        "software": software_versions(),
    }


def _what(cases: Sequence[Case]) -> str:
    """What a network was trained on, in words."""
    hands = sum(map(is_phantom, cases))
    scans = [case for case in cases if not is_phantom(case)]
    patients = len({patient_of(case) for case in scans})
    parts = [f"{len(scans)} scans of {patients} patients"] if scans else []
    return " and ".join([*parts, f"{hands} synthetic hands"] if hands else parts)


def write_record(out: Path, record: Mapping[str, Any]) -> None:
    """Write train.json.

    Raises
    ------
    WriteError
    """
    with written_whole(out / RECORD) as temporary:
        temporary.write_text(as_json(dict(record)), encoding="utf-8")
