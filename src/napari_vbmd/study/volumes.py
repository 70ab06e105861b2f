"""Pre-processed volumes on disk: made once for each case, known by what they were made of.

A volume is a few arrays (``KEY.NAME.npy``, read as memory maps) and ``KEY.json``, which is written
last: without it the others are an interrupted attempt. The key is a hash of the files' content, of
what the manifest says about them and of the task's recipe, so that several trainings may share a
folder, and what has changed is made anew.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import phantom
from ..errors import FileFormatError, VbmdError, WriteError
from ..io.atomic import written_whole
from ..provenance import file_hash, file_stamp
from ..segmentation.preprocessing import Normalisation
from .manifest import Case
from .phantoms import is_phantom
from .sources import truth_of

if TYPE_CHECKING:
    from .task import Task

Progress = Callable[[float, str], None]
_FORMAT = 1  # raise it when what is kept changes its meaning
_KEY = 24  # hexadecimal digits
_HASHES = "hashes.json"


@dataclass(frozen=True)
class Prepared:
    """What a task keeps of a case.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    facts : mapping
        Ready for JSON.
    """

    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Volume:
    """A case as it was kept.

    Parameters
    ----------
    name : str
        The case's key.
    stem : str
        Path of its files, without endings.
    facts : mapping
    """

    name: str
    stem: str
    facts: Mapping[str, Any]

    def array(self, name: str) -> np.ndarray:
        """One of its arrays, a memory map.

        Raises
        ------
        FileFormatError
            When it is damaged or gone.
        """
        return _mapped(f"{self.stem}.{name}.npy")


class VolumeStore:
    """A folder of volumes.

    Parameters
    ----------
    folder : path
        Made when the first volume is kept.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def find(self, case: Case, key: str) -> Volume | None:
        """A volume that was kept before."""
        stem = self.folder / key
        try:
            content = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
            whole = all(Path(f"{stem}.{name}.npy").is_file() for name in content["arrays"])
        except (OSError, ValueError, KeyError):
            return None
        return Volume(case.key, str(stem), content["facts"]) if whole else None

    def keep(self, key: str, prepared: Prepared) -> None:
        """Write a volume, so that it is found only when it is whole.

        Raises
        ------
        WriteError
        """
        self._make_folder()
        for name, array in prepared.arrays.items():
            with written_whole(self.folder / f"{key}.{name}.npy", ".npy") as temporary:
                np.save(temporary, array)
        content = {"arrays": sorted(prepared.arrays), "facts": dict(prepared.facts)}
        with written_whole(self.folder / f"{key}.json") as temporary:
            temporary.write_text(json.dumps(content), encoding="utf-8")

    def hashes(self) -> dict[str, list]:
        """Hashes of files that were known before, by a hash of their path."""
        try:
            known = json.loads((self.folder / _HASHES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def keep_hashes(self, hashes: Mapping[str, list]) -> None:
        """Remember hashes; that this fails costs time only."""
        with suppress(WriteError):
            self._make_folder()
            with written_whole(self.folder / _HASHES) as temporary:
                temporary.write_text(json.dumps(hashes), encoding="utf-8")

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{self.folder}: cannot be made: {error.strerror or error}") from error


def prepare_all(
    cases: Sequence[Case],
    task: "Task",
    store: VolumeStore,
    workers: int = 0,
    progress: Progress | None = None,
) -> list[Volume]:
    """The volumes of cases, in their order; those that are not there yet are made.

    Parameters
    ----------
    cases : sequence of Case
    task : Task
    store : VolumeStore
    workers : int
        Processes that make them; 0: this one.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel. What was made stays.

    Raises
    ------
    FileFormatError
        When cases cannot be used: all of them are named, with their lines in the manifest.
    WriteError
        When the folder cannot be written, or the disk is full.
    """
    tell = progress or (lambda *_: None)
    keys, problems = _keys(cases, task, store, tell)
    missing = [case for case in cases if case.key in keys and not store.find(case, keys[case.key])]
    jobs = [(case, keys[case.key]) for case in missing]
    for done, (case, problem) in enumerate(_made(jobs, task, store, workers), 1):
        tell(done / len(jobs), f"prepare: {done} of {len(jobs)} volumes")
        if problem:
            problems[case.key] = problem
    if problems:
        raise FileFormatError(_all_of(problems, cases))
    return [store.find(case, keys[case.key]) for case in cases]


def sums_of(image: np.ndarray) -> dict[str, float]:
    """What `normalisation_of` asks of a volume, summed up plane by plane."""
    sums = [(p.sum(dtype=np.float64), np.square(p, dtype=np.float64).sum()) for p in image]
    total, squares = np.sum(sums, axis=0)
    return {"voxels": image.size, "sum": float(total), "squares": float(squares)}


def normalisation_of(volumes: Sequence[Volume]) -> Normalisation:
    """Mean and SD of all voxels of a training set, from the facts that `sums_of` gave."""
    count, total, squares = np.sum(
        [[one.facts[key] for key in ("voxels", "sum", "squares")] for one in volumes], axis=0
    )
    mean = total / count
    return Normalisation(float(mean), float(math.sqrt(max(0.0, squares / count - mean**2))))


def _made(jobs, task: "Task", store: VolumeStore, workers: int) -> Iterable[tuple[Case, str]]:
    """Make volumes one after the other, or several at a time; gives what was wrong with each."""
    if workers < 1 or len(jobs) < 2:
        for case, key in jobs:
            yield case, _make(case, key, task, store)
        return
    # torch and its threads must not be forked
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_make, case, key, task, store): case for case, key in jobs}
        try:
            for job in as_completed(waiting):
                yield waiting[job], job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _make(case: Case, key: str, task: "Task", store: VolumeStore) -> str:
    """Make and keep one volume; gives what is wrong with the case, or nothing."""
    try:
        prepared = task.prepare(case)
    except VbmdError as error:
        return str(error)
    store.keep(key, prepared)
    return ""


def _keys(
    cases: Sequence[Case], task: "Task", store: VolumeStore, tell: Progress
) -> tuple[dict[str, str], dict[str, str]]:
    """The key of each case; and for cases of which none can be told, why."""
    hashes = _Hashes(store.hashes())
    keys, problems = {}, {}
    try:
        for done, case in enumerate(cases):
            tell(done / len(cases), f"look: case {done + 1} of {len(cases)}")
            try:
                keys[case.key] = _key(case, task, hashes)
            except (OSError, VbmdError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                problems[case.key] = f"{getattr(error, 'filename', None) or case.scan}: {reason}"
    finally:
        if hashes.has_grown:  # a cohort takes an hour to read
            store.keep_hashes(hashes.known)
    return keys, problems


def _key(case: Case, task: "Task", hashes: "_Hashes") -> str:
    if is_phantom(case):
        content = {"phantom": case.key, "drawing": _drawing_hash()}
    else:
        truth = truth_of(case)
        content = {"scan": hashes.of(case.scan), "truth": hashes.of(truth) if truth else None}
        content["slices"] = case.slices
    content |= {"side": case.side, "recipe": dict(task.recipe), "format": _FORMAT}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY]


class _Hashes:
    """Hashes of large files, taken anew only where size or time of change are others."""

    def __init__(self, known: dict[str, list]):
        self.known, self.has_grown = known, False

    def of(self, path: Path) -> str:
        name = hashlib.sha256(str(path).encode()).hexdigest()[:_KEY]  # folders may name patients
        stamp = list(file_stamp(path))
        if self.known.get(name, [None])[:-1] != stamp:
            self.known[name] = [*stamp, file_hash(path)]
            self.has_grown = True
        return self.known[name][-1]


@lru_cache(maxsize=1)
def _drawing_hash() -> str:
    """Of the code that draws digital hands: they are redrawn when it changes."""
    return file_hash(Path(phantom.__file__).parent)


@lru_cache(maxsize=4096)
def _mapped(path: str) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{path}: a prepared volume is damaged or gone; delete this file, and the same command "
            "makes it anew"
        ) from error


def _all_of(problems: Mapping[str, str], cases: Sequence[Case]) -> str:
    named = [f"line {case.line}: {problems[case.key]}" for case in cases if case.key in problems]
    count = "1 row" if len(named) == 1 else f"{len(named)} rows"
    return f"the manifest: {count} cannot be used: {'; '.join(named)}"
