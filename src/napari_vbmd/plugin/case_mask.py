"""Which layer is the mask of the case in view, and whether it was edited since it was saved."""

from collections.abc import Callable
from pathlib import Path

from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer

from ..scan import Mask
from . import autosave
from .case_files import CaseFiles
from .layers import is_preview, mask_of
from .mask_watch import Snapshot
from .picker import LayerPicker

_EVENTS = ("paint", "set_data")  # an undo only redraws the layer, as a step through the slices does


class CaseMask(QObject):
    """The layer that a picker names as the case's mask.

    A mask that arrives where the case has none is picked by itself: the result of a method, or a
    new layer to draw on. So is a rescued mask of the case's scan.

    Parameters
    ----------
    viewer : napari.Viewer
    picker : LayerPicker
    parent : QObject
    on_edit : callable
        Called at every edit.
    """

    def __init__(self, viewer, picker: LayerPicker, parent: QObject, on_edit: Callable[[], None]):
        super().__init__(parent)
        self._viewer, self._picker, self._on_edit = viewer, picker, on_edit
        self._files: CaseFiles | None = None
        self._saved: tuple[Labels | None, Snapshot | None] = None, None
        self._followed: Labels | None = None
        self.touched = False  # perhaps: it may only have been redrawn
        viewer.layers.events.inserted.connect(self._adopt)
        picker.picked.connect(self._follow)

    @property
    def layer(self) -> Labels | None:
        """The layer, if there is one."""
        return self._picker.layer

    @property
    def mask(self) -> Mask | None:
        """What the layer holds; raises ParameterError when that is no mask."""
        return mask_of(self.layer) if self.layer is not None else None

    @property
    def taken(self) -> Snapshot | None:
        """The mask as it is on disk; None where it is not."""
        return self._saved[1] if self._saved[0] is self.layer else None

    @property
    def about(self) -> dict:
        """Where the mask comes from."""
        if self.layer is None:
            return {}
        about = self.layer.metadata.get("vbmd", {}).get("about", {})
        return {**self._files.about, **about} if "rescued from" in about else about

    def belongs_to(self, files: CaseFiles | None) -> None:
        """Another case is in view, or none: no mask is picked by itself until it has begun."""
        self._files = files
        self._saved = None, None

    def begin(self, layer: Labels | None, taken: Snapshot | None) -> None:
        """This layer is the case's mask, and this is what is on disk."""
        self._picker.pick(layer)
        self._saved = layer, taken

    def was_saved(self, layer: Labels | None, taken: Snapshot | None) -> None:
        """A layer was saved, as in this snapshot; edits since then still have their copy."""
        if layer is None:
            return
        self._saved = layer, taken
        if not self.touched:
            autosave.was_saved(layer.data)

    def leave(self) -> None:
        """Watch no longer."""
        self._viewer.layers.events.inserted.disconnect(self._adopt)
        self._follow(None)
        self._saved = None, None

    def _follow(self, layer: Labels | None) -> None:
        if layer is self._followed:
            return
        for one, change in ((self._followed, "disconnect"), (layer, "connect")):
            for name in _EVENTS if one is not None else ():
                getattr(getattr(one.events, name), change)(self._notice)
        self._followed = layer

    def _notice(self, event) -> None:
        self.touched = True
        if event.type == "paint":
            self._on_edit()

    def _adopt(self, event) -> None:
        layer, files = event.value, self._files
        if files is None or files.scan is None or not isinstance(layer, Labels):
            return
        about = layer.metadata.get("vbmd", {}).get("about", {})
        is_rescued = "rescued from" in about and Path(about["scan path"]) == files.case.scan
        if not is_preview(layer) and (self.layer is None or is_rescued):
            QTimer.singleShot(0, lambda: self._picker.pick(layer))  # that may not know it yet
