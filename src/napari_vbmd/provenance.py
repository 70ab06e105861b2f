"""What a result rests on: versions, input, parameters, time and memory, for ``run.json``.

Nothing here names a person: of a path only the last part is kept, because folders carry patients'
names, and of the machine only its size, neither user nor host.
"""

import contextlib
import hashlib
import json
import math
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .scan import Mask, Scan

Progress = Callable[[float, str], None]

_BLOCK = 1 << 22
_PACKAGES = (
    "napari-vbmd",
    "numpy",
    "scipy",
    "scikit-image",
    "SimpleITK",
    "matplotlib",
    "torch",
    "monai",
    "onnxruntime",
    "pytorch-lightning",
    "napari",
)
# A detached header names the file with its voxels: MetaImage, and NRRD
_DETACHED = {".mhd": rb"^ElementDataFile\s*=\s*(.+?)\s*$", ".nhdr": rb"^data ?file:\s*(.+?)\s*$"}


def software_versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that numbers depend on; imports none."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def machine() -> dict[str, Any]:
    """Cores this process may use, memory [bytes, None where unknown] and kind of system."""
    can_ask = hasattr(os, "sched_getaffinity")
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        memory = None
    return {
        "cores": len(os.sched_getaffinity(0)) if can_ask else os.cpu_count(),
        "memory_bytes": memory,
        "platform": f"{platform.system()} {platform.machine()}",
    }


def peak_memory_bytes() -> int | None:
    """The most memory this process has held so far [bytes]; None where the system cannot say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def forget_peak_memory() -> None:
    """Begin the count of `peak_memory_bytes` anew, where the system can: on Linux."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def file_hash(path: str | Path, progress: Progress | None = None) -> str:
    """SHA-256 of a file; of a folder's files in the order of their names; in blocks.

    A detached header (.mhd, .nhdr) counts together with the file of its voxels.

    Parameters
    ----------
    path : path
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    files = _files_of(Path(path))
    total = sum(file.stat().st_size for file in files) or 1
    digest, done = hashlib.sha256(), 0
    for file in files:
        for block in _blocks(file):
            digest.update(block)
            done += len(block)
            if progress:
                progress(min(1.0, done / total), "checksum of the input")
    return digest.hexdigest()


def file_stamp(path: str | Path) -> tuple[int, int]:
    """Size [bytes] and last change [ns] of what `file_hash` would read: equal stamps, equal files.

    Raises
    ------
    OSError
        When it is not there.
    """
    stats = [file.stat() for file in _files_of(Path(path))]
    return sum(one.st_size for one in stats), max((one.st_mtime_ns for one in stats), default=0)


def describe_file(source: Scan | Mask, progress: Progress | None = None) -> dict[str, Any]:
    """Name (without folder), format, size [bytes] and SHA-256 of what was read.

    Size and hash are None for voxels that did not come from a file.
    """
    described = {"name": source.name, "format": source.format, "bytes": None, "sha256": None}
    if source.path is not None and source.path.exists():
        described["bytes"] = sum(file.stat().st_size for file in _files_of(source.path))
        described["sha256"] = file_hash(source.path, progress)
    return described


def run_record(
    *,
    scan: dict,
    expert: dict | None,
    method: str,
    parameters: dict,
    slices: tuple[int, int] | None,
    post_processing: dict,
    seconds: dict[str, float],
    warnings: Sequence[str] = (),
    synthetic: bool = False,
    method_facts: dict | None = None,
    command: Sequence[str] | None = None,
    series: Sequence[str] = (),
    motion_grade: int | None = None,
) -> dict[str, Any]:
    """All that is needed to understand and repeat a run, ready for `as_json`.

    Parameters
    ----------
    scan, expert : dict
        Of `describe_file`.
    method : str
    parameters : dict
    slices : tuple of int, optional
        First and last slice looked at, inclusive; None: the whole scan.
    post_processing : dict
        Steps with their parameters, and what they changed.
    seconds : dict
        Of each stage.
    warnings : sequence of str
    synthetic : bool
        Of `Scan.is_synthetic`.
    method_facts : dict, optional
        What the method used beside its parameters: for a network ``weights`` (file, hash), the
        ``device``, the hand's ``side``, the ``network_grid``.
    command : sequence of str, optional
        As typed; folders are taken off.
    series : sequence of str
        Of `public_command`.
    motion_grade : int, optional
        1 (none) to 5 (severe), after Pialat et al. 2012 (Bone 50:111), as a person graded it.
    """
    used = method_facts or {}
    return {
        "date_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": public_command(command, series) if command else None,
        "scan": scan,
        "synthetic": synthetic,
        "expert": expert,
        "method": method,
        "parameters": parameters,
        "weights": used.get("weights"),
        "device": used.get("device", "cpu"),
        "threshold": used.get("threshold"),
        "side": used.get("side"),
        "network_grid": used.get("network_grid"),
        "slices": {"first": slices[0], "last": slices[1]} if slices else None,
        "post_processing": post_processing,
        "motion_grade": motion_grade,
        "warnings": list(warnings),
        "seconds": {stage: round(s, 3) for stage, s in seconds.items()},
        "peak_memory_bytes": peak_memory_bytes(),
        "machine": machine(),
        "software": software_versions(),
    }


def mask_record(
    *,
    scan: dict,
    mask: dict,
    expert: dict | None,
    warnings: Sequence[str] = (),
    synthetic: bool = False,
    command: Sequence[str] | None = None,
    series: Sequence[str] = (),
) -> dict[str, Any]:
    """What the report of a mask rests on that was made before; parameters as of `run_record`.

    ``mask`` is of `describe_file`, with what its ``log`` says of how it was made.
    """
    return {
        "date_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": public_command(command, series) if command else None,
        "scan": scan,
        "synthetic": synthetic,
        "mask": mask,
        "expert": expert,
        "warnings": list(warnings),
        "software": software_versions(),
    }


def series_names(*sources: Scan | Mask | None) -> list[str]:
    """Names of the folders with a DICOM series among them, which are often the patient's."""
    return [
        one.path.absolute().name
        for one in sources
        if one is not None and one.format == "DICOM" and one.path is not None
    ]


def public_command(words: Sequence[str], series: Sequence[str] = ()) -> str:
    """A command line without folders: of each path only the last part is kept.

    Parameters
    ----------
    words : sequence of str
    series : sequence of str
        Names of folders with a DICOM series, which are not kept either.
    """
    return " ".join(_without_folder(word, series) for word in words)


def as_json(content: Any) -> str:
    """JSON text, indented; a number that is not finite becomes null, never NaN."""
    return json.dumps(_finite(content), indent=2, allow_nan=False)


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def _without_folder(word: str, series: Sequence[str]) -> str:
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    last = re.split(r"[/\\]", value.rstrip("/\\"))[-1]
    return f"{option}{equals}{'DICOM-series' if last in series else last}"


def _blocks(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    pattern = _DETACHED.get(path.suffix.lower())
    found = pattern and re.search(pattern, path.read_bytes()[:65536], re.MULTILINE)
    voxels = path.parent / os.fsdecode(found[1]) if found else path
    return [path, voxels] if voxels != path and voxels.is_file() else [path]
