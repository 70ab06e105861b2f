"""The case in view, which is saved before anything else is done with it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from ..errors import ParameterError, VbmdError
from ..study.manifest import Case
from ..study.mask_names import saved_mask
from ..study.worklist import ConflictError, Worklist
from .case_clock import CaseClock
from .case_files import CaseFiles, Progress
from .case_layers import CaseLayers
from .case_mask import CaseMask
from .case_save import Saved, Work, save_case
from .job import sentence
from .parts import RunBar
from .picker import LayerPicker


@dataclass(frozen=True)
class Task:
    """What to do: save the case in view, then something else; both away from the window.

    Parameters
    ----------
    title : str
    show : callable
        Gets what ``then`` gave, in the window.
    then : callable, optional
        Gets ``progress``; without it the case stays in view.
    status : str, optional
        New one of the case in view.
    beside : bool
        Save the mask beside the one that was saved before.
    """

    title: str
    show: Callable[[Any], None]
    then: Callable[[Progress], Any] | None = None
    status: str | None = None
    beside: bool = False


class CaseKeeper(QObject):
    """Holds the case in view: its files, layers, mask and clock.

    Parameters
    ----------
    viewer : napari.Viewer
    picker : LayerPicker
        Which layer is the mask of the case in view.
    run_bar : RunBar
        Shows what goes on.

    Signals
    -------
    changed()
        Records are other ones.
    conflicted(str)
        Somebody else saved the case in view; empty once that is settled.
    """

    changed = Signal()
    conflicted = Signal(str)

    def __init__(self, viewer, picker: LayerPicker, run_bar: RunBar):
        super().__init__(run_bar)
        self.viewer, self.run_bar = viewer, run_bar
        self.worklist: Worklist | None = None
        self.folder, self.annotator = Path(), ""
        self.files: CaseFiles | None = None  # of the case in view
        self.layers = CaseLayers(viewer)
        self.clock = CaseClock(viewer, self)
        self.mask = CaseMask(viewer, picker, self, self.clock.touch)
        self._saving: tuple[Work, Labels | None] | None = None
        self._saved: list[Saved] = []  # by the worker, until the window knows
        self._stopped: tuple[ConflictError, Callable[[], None]] | None = None  # and how to go on
        run_bar.ended.connect(self._settle)
        self.clock.written.connect(self.changed)
        self.clock.failed.connect(run_bar.message.say)

    @property
    def case(self) -> Case | None:
        """The case in view."""
        return self.files.case if self.files else None

    @property
    def has_scan(self) -> bool:
        """Whether a case is in view whose scan could be opened."""
        return self.files is not None and self.files.scan is not None

    @property
    def busy(self) -> bool:
        """Whether a case is being saved or read."""
        return self.run_bar.running

    def do(self, task: Task, again: Callable[[], None]) -> None:
        """Save the case in view, then do something else.

        Parameters
        ----------
        task : Task
        again : callable
            Does it after a conflict, with the mask beside theirs.
        """
        if self.busy:
            return
        try:
            work = self._work(task)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self._saving = (work, self.mask.layer) if work is not None else None
        self.mask.touched = False

        def both(progress: Progress) -> tuple[Any, ConflictError | None]:
            try:
                if work is not None:
                    self._saved.append(save_case(work, progress))
            except ConflictError as conflict:
                return None, conflict
            return (task.then(progress) if task.then is not None else None), None

        def end(result: tuple[Any, ConflictError | None]) -> None:
            found, conflict = result
            self._settle()
            if conflict is not None:
                self._stopped = conflict, again
                self.conflicted.emit(str(conflict))
                self.run_bar.complain(str(conflict))
            elif self.mask.touched and task.then is not None:  # painted on while it was saved
                once_more = Task(task.title, task.show, task.then)
                QTimer.singleShot(0, lambda: self.do(once_more, again))
            else:
                self.run_bar.message.say("")
                task.show(found)

        self.run_bar.run(both, task.title, end)

    def accept_theirs(self) -> Callable[[], None]:
        """Take somebody else's record for known; gives what the conflict stopped."""
        conflict, again = self._stopped
        self._stopped = None
        self.worklist.settle(conflict.theirs)
        self.conflicted.emit("")
        return again

    def _work(self, task: Task) -> Work | None:
        """What there may be to save; raises when something would go that is saved nowhere."""
        if not self.has_scan:
            if task.status is not None and self.files is not None:
                raise ParameterError(f"{self.case.name}: its scan cannot be opened")
            return None
        strays = self.layers.strays(self.mask.layer) if task.then is not None else []
        if strays:
            raise ParameterError(
                f"“{strays[0].name}” is saved nowhere: choose it under Mask, save it yourself, or "
                "remove it"
            )
        mask = self.mask.mask
        return Work(
            self.worklist,
            self.case,
            mask,
            self.mask.about,
            self.mask.taken,
            self.annotator,
            self.clock.time.take(),
            self.folder,
            task.status,
            self.files.scan.format,
            task.beside or self._is_unreadable(),
        )

    def _is_unreadable(self) -> bool:
        """Whether a mask was saved for the case that could not be read: it is let be."""
        saved = saved_mask(self.worklist, self.case)
        is_known = self.files.record.mask == self.worklist.records[self.case.key].mask
        return self.files.mask is None and is_known and saved is not None and saved.exists()

    def _settle(self) -> None:
        """Take up what the worker saved, also when it was stopped after that."""
        if self._saving is None:
            return
        work, layer = self._saving
        self._saving = None
        if self._saved:
            self.mask.was_saved(layer, self._saved.pop().taken)
            self.changed.emit()
        else:
            self.clock.time.give_back(work.minutes)
