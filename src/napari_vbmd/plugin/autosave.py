"""Edited masks are kept aside after every pause in painting, and offered again after a crash.

The user's own files change only on Save; what is kept lies in the user's data folder until then.
"""

import os
import weakref
from contextlib import suppress
from itertools import count
from pathlib import Path

from napari.layers import Image, Labels
from napari.utils.notifications import show_warning
from platformdirs import user_data_dir
from qtpy.QtCore import QCoreApplication, QObject, QTimer

from ..errors import VbmdError
from ..io.rescue import Session, left_behind
from .job import Job
from .layers import is_preview, mask_of

_PAUSE_MS = 1500
_PAUSES_AT_MOST = 10  # of painting without a pause, until a copy is kept all the same
_guards: "weakref.WeakKeyDictionary" = weakref.WeakKeyDictionary()
_sessions: dict[Path, Session] = {}
_offered: set[Path] = set()
_numbers = count(1)


def folder() -> Path:
    """Where edited masks are kept: VBMD_RESCUE, or the user's data folder."""
    return Path(os.environ.get("VBMD_RESCUE") or user_data_dir("napari-vbmd")) / "rescue"


def guard(viewer) -> None:
    """Keep the masks of a viewer safe; once is enough. Offers what an earlier crash left."""
    viewer = getattr(viewer, "__wrapped__", viewer)  # docks get a proxy, which has no Qt window
    if viewer in _guards:
        return
    _guards[viewer] = Guard(viewer)
    place = folder()
    if place not in _offered and hasattr(viewer, "window"):
        _offered.add(place)
        found = list(left_behind(place))
        if found:
            from .rescue_offer import offer

            offer(viewer, found)


def keep_now(viewer, layer: Labels) -> None:
    """Keep a copy of a layer at once: it was rescued, and its old copy goes."""
    _guards[viewer].keep_now(layer)


def is_edited(viewer, layer: Labels) -> bool:
    """Whether a layer was edited since it came, or was saved."""
    return _guards[viewer].is_edited(layer)


def was_saved(data) -> None:
    """A labels layer with this array was written to a file: its copy is needed no more."""
    for one in list(_guards.values()):
        one.was_saved(data)


class Guard(QObject):
    """Watches the labels layers of one viewer."""

    def __init__(self, viewer):
        super().__init__()
        self._viewer = weakref.ref(viewer)
        self._kept: dict[Labels, _Kept] = {}
        viewer.layers.events.inserted.connect(lambda event: self._adopt(event.value))
        viewer.layers.events.removed.connect(lambda event: self._release(event.value))
        for layer in viewer.layers:
            self._adopt(layer)
        if (application := QCoreApplication.instance()) is not None:
            application.aboutToQuit.connect(self.keep_what_is_due)

    def keep_what_is_due(self) -> None:
        """Keep the strokes after which there was no pause yet."""
        for kept in self._kept.values():
            kept.keep_if_due()

    @property
    def busy(self) -> bool:
        """Whether a copy is due or being made."""
        return any(kept.busy for kept in self._kept.values())

    def is_edited(self, layer: Labels) -> bool:
        """Whether the layer holds edits that were not saved."""
        kept = self._kept.get(layer)
        return kept is not None and kept.edited

    def was_saved(self, data) -> None:
        """Forget the copy of the layer with this array."""
        for layer, kept in self._kept.items():
            if layer.data is data:
                kept.forget()

    def keep_now(self, layer: Labels) -> None:
        """Take a layer for edited, and keep a copy before anything else happens."""
        kept = self._kept[layer]
        kept.notice()
        kept.keep_at_once()

    def _adopt(self, layer) -> None:
        if isinstance(layer, Labels) and not layer.multiscale and not is_preview(layer):
            self._kept[layer] = _Kept(layer, self._scan_beneath, self)

    def _release(self, layer) -> None:
        """A layer taken out of the viewer keeps its copy: it may have been a mistake."""
        kept = self._kept.pop(layer, None)
        if kept is not None:
            kept.leave()

    def _scan_beneath(self, layer: Labels) -> tuple[str, str]:
        """Name and path of the topmost scan; empty where there is none."""
        viewer = self._viewer()
        images = [one for one in viewer.layers if isinstance(one, Image)] if viewer else []
        if not images:
            return "", ""
        known = images[-1].metadata.get("vbmd", {}).get("scan")
        path = known.path if known is not None else images[-1].source.path
        return images[-1].name, str(path or "")


class _Kept(QObject):
    """The copy of one layer."""

    def __init__(self, layer: Labels, scan_of, parent: QObject):
        super().__init__(parent)
        self._layer, self._scan_of = layer, scan_of
        self._key = f"mask{next(_numbers)}"
        self._edited = self._again = self._told = self._left = False
        self._waited = 0
        self._job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.keep)
        layer.events.paint.connect(self.notice)
        layer.events.set_data.connect(self._redrawn)  # undo and redo; and scrolling

    @property
    def busy(self) -> bool:
        return self._timer.isActive() or self._job is not None

    @property
    def edited(self) -> bool:
        """Whether there are edits that were not saved."""
        return self._edited

    def notice(self, event=None) -> None:
        """The layer was edited."""
        self._edited = True
        self._wait()

    def _redrawn(self, event=None) -> None:
        if self._edited:
            self._wait()

    def _wait(self) -> None:
        if self._timer.isActive():
            self._waited += self._timer.interval() - max(0, self._timer.remainingTime())
        else:
            self._waited = 0
        if self._waited < _PAUSES_AT_MOST * _PAUSE_MS:
            self._timer.start()

    def keep(self) -> None:
        """Keep a copy now, in the background."""
        if self._job is not None:
            self._again = True
            return
        layer, key, session = self._layer, self._key, _session()
        beneath = self._scan_of(layer)

        def work(progress) -> None:
            try:
                mask = mask_of(layer)
            except VbmdError:  # no mask of a scan: not ours to keep
                return
            session.keep(key, mask, *beneath)

        job = self._job = Job(work, f"Keeping a copy of {layer.name}", self)
        job.failed.connect(self._complain)
        job.ended.connect(self._end)
        job.start()

    def keep_if_due(self) -> None:
        """Keep a copy before this returns, if one is due: napari ends."""
        if self._timer.isActive():
            with suppress(VbmdError):
                self.keep_at_once()

    def keep_at_once(self) -> None:
        """Keep a copy before this returns."""
        self._timer.stop()
        _session().keep(self._key, mask_of(self._layer), *self._scan_of(self._layer))

    def forget(self) -> None:
        """No copy is needed until the next edit."""
        self._timer.stop()
        self._edited = self._again = False
        if self._job is None:
            _session().forget(self._key)

    def leave(self) -> None:
        """The layer is gone; what is due is done now."""
        self._layer.events.paint.disconnect(self.notice)
        self._layer.events.set_data.disconnect(self._redrawn)
        self._left = True
        if self._timer.isActive():
            self._timer.stop()
            self.keep()
        if self._job is None:
            self._let_go()

    def _let_go(self) -> None:
        """Hold the layer, and all of its voxels, no longer."""
        self._layer = None
        self.deleteLater()

    def _complain(self, text: str) -> None:
        if not self._told:  # once is enough: it will be the same every time
            self._told = True
            show_warning(f"No copy of the mask can be kept, save it often: {text}")

    def _end(self) -> None:
        self._job.deleteLater()
        self._job = None
        if not self._edited:  # saved meanwhile
            _session().forget(self._key)
        elif self._again:
            self._again = False
            self.keep()
        if self._left and self._job is None:
            self._let_go()


def _session() -> Session:
    place = folder()
    return _sessions.setdefault(place, Session(place))
