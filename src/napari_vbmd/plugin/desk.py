"""From case to case: one is in view, the next is loaded ahead and takes its place."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from qtpy.QtCore import QTimer, Signal

from ..errors import VbmdError
from ..scan import Mask
from ..study.manifest import Case, read_manifest
from ..study.mask_names import mask_folder, saved_mask
from ..study.worklist import TO_DO, Worklist
from .case_files import CaseFiles, Progress, read_case
from .case_keeper import CaseKeeper, Task
from .case_layers import unsaved_masks
from .load_ahead import LoadAhead
from .mask_watch import Snapshot, snapshot
from .parts import RunBar
from .picker import LayerPicker

_BREATH_MS = 5  # between two steps: for the mouse, the keys and the drawing
_NO_FILE = "{}: no such file; check the manifest"


class Desk(CaseKeeper):
    """One worklist in one viewer; parameters as `CaseKeeper`.

    Signals
    -------
    opened()
        Another manifest.
    shown()
        Another case is in view, or the one in view is otherwise another.
    """

    opened = Signal()
    shown = Signal()

    def __init__(self, viewer, picker: LayerPicker, run_bar: RunBar):
        super().__init__(viewer, picker, run_bar)
        self.problems: dict[str, str] = {}  # by scan: why it cannot be opened
        self.ahead = LoadAhead(self)
        self._direction = 1
        self._steps: Iterator | None = None
        self._step_timer = QTimer(self)
        self._step_timer.setSingleShot(True)
        self._step_timer.setInterval(_BREATH_MS)
        self._step_timer.timeout.connect(self._step)

    @property
    def busy(self) -> bool:
        """Whether a case is being saved, read or exchanged."""
        return super().busy or self._steps is not None

    def open(self, path: str | Path) -> None:
        """Open a manifest, at the first case to do or where edits wait to be saved."""

        def read(progress: Progress) -> tuple[Worklist, dict[str, str]]:
            worklist = Worklist(read_manifest(path))
            missing = [case for case in worklist.manifest.cases if not case.scan.exists()]
            return worklist, {case.key: _NO_FILE.format(case.scan) for case in missing}

        def show(found: tuple[Worklist, dict[str, str]]) -> None:
            self.ahead.stop()
            self.worklist, self.problems = found
            self.folder, self.files = mask_folder(self.worklist), None
            self.opened.emit()
            QTimer.singleShot(0, lambda: self.go(self._first()))

        self.do(Task(f"Opening {Path(path).name}", show, read), partial(self.open, path))

    def go(self, case: Case, status: str | None = None, beside: bool = False) -> None:
        """Save the case in view, under a new status if one is given, and show another."""
        if self.busy:
            return
        if self.case is not None:
            self._direction = 1 if self._index(case) >= self._index(self.case) else -1
        read = partial(self._read, case, self.ahead.take(case.key))
        task = Task(f"Opening {case.name}", self._exchange, read, status, beside)
        self.do(task, partial(self.go, case, status, True))

    def step(self, by: int, status: str | None = None) -> None:
        """Go to the next case (+1) or the one before (-1); at the end, only save."""
        if self.case is None:
            return
        index = self._index(self.case) + by
        if 0 <= index < len(self.worklist.manifest.cases):
            self.go(self.worklist.manifest.cases[index], status)
        else:
            self.save(status, "This was the last case." if by > 0 else "This is the first case.")

    def save(self, status: str | None = None, say: str = "Saved.", beside: bool = False) -> None:
        """Save the case in view, and stay."""

        def show(_: None) -> None:
            self.run_bar.message.say(say)
            self.shown.emit()

        self.do(Task("Saving", show, None, status, beside), partial(self.save, status, say, True))

    def start_empty(self) -> None:
        """Give the case in view a mask without any voxel, to be drawn."""
        files = self.files

        def make(progress: Progress) -> tuple[Mask, Snapshot]:
            mask = Mask(np.zeros(files.scan.grid.shape, np.uint8), files.scan.grid)
            return mask, snapshot(mask)

        def show(made: tuple[Mask, Snapshot]) -> None:
            self.run_bar.message.say("")
            layer = self.layers.add_mask(files, made[0], {"origin": "drawn by hand"})
            self.mask.begin(layer, made[1])
            self.shown.emit()

        if self.has_scan and not self.busy:
            self.run_bar.run(make, "Making an empty mask", show)

    def keep_mine(self) -> None:
        """After a conflict: save what is in view, beside the mask that the other one saved."""
        if not self.busy:
            self.accept_theirs()()

    def take_theirs(self) -> None:
        """After a conflict: show what the other one saved; what was in view is kept aside."""
        if self.busy:
            return
        self.accept_theirs()
        self.run_bar.run(
            partial(self._read, self.case, None),
            f"Opening {self.case.name}",
            partial(self._exchange, keep_edits=False),
        )

    def leave(self) -> None:
        """The dock goes: the layers stay, and with them what was edited."""
        self._step_timer.stop()
        self.ahead.stop()
        with suppress(VbmdError):  # the dock that would say so is gone
            self.clock.write_now()
        self.clock.leave()
        self.mask.leave()
        self.layers.end()

    def _read(self, case: Case, loaded: CaseFiles | None, progress: Progress) -> CaseFiles:
        """Read a case, in the worker; what was loaded ahead will do unless files changed since."""
        self.worklist.reload()
        record, saved = self.worklist.records[case.key], saved_mask(self.worklist, case)
        if loaded is not None and loaded.is_fresh(record, saved):
            return loaded
        return read_case(case, record, saved, progress)

    def _exchange(self, files: CaseFiles, keep_edits: bool = True) -> None:
        """Put the layers of one case in the place of another's, bit by bit."""
        self.problems.pop(files.case.key, None)
        if files.problem:
            self.problems[files.case.key] = files.problem
        self.clock.stop()
        self.files = files
        before = self.mask.layer
        self.mask.belongs_to(None)
        self._steps = self.layers.exchange(files, before, keep_edits)
        self._step_timer.start()

    def _step(self) -> None:
        """One step of an exchange; the window lives between two."""
        try:
            next(self._steps)
            self._step_timer.start()
        except StopIteration:
            self._end_exchange()
        except Exception:
            self._end_exchange()
            raise

    def _end_exchange(self) -> None:
        self._steps = None
        self.mask.belongs_to(self.files)
        self.mask.begin(self.layers.mask, None if self.layers.is_waiting else self.files.taken)
        if self.has_scan:
            self.clock.start(partial(self.worklist.add_minutes, self.case.key))
        self.changed.emit()
        self.shown.emit()
        self._load_ahead()

    def _load_ahead(self) -> None:
        cases = self.worklist.manifest.cases
        index = self._index(self.case) + self._direction
        if 0 <= index < len(cases) and cases[index].key not in self.problems:
            case = cases[index]
            record, saved = self.worklist.records[case.key], saved_mask(self.worklist, case)
            self.ahead.begin(partial(read_case, case, record, saved), case.name)

    def _first(self) -> Case:
        """Where edits wait to be saved; else the first case to do; else the first of all."""
        cases = self.worklist.manifest.cases
        waiting = {path for path, _ in unsaved_masks(self.viewer)}
        to_do = [
            case
            for case in cases
            if self.worklist.records[case.key].status == TO_DO and case.key not in self.problems
        ]
        return next((case for case in cases if case.scan in waiting), (*to_do, cases[0])[0])

    def _index(self, case: Case) -> int:
        return self.worklist.manifest.cases.index(case)
