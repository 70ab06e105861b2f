"""Keys of layers, and the sheet that lists them. They belong to the layer, not the window.

Only those that must work without any layer belong to the viewer. napari ignores the key bindings of
a manifest, so they are bound in code. Several docks may have keys on one layer; the sheet lists all
of them, and those of the viewer.
"""

import weakref
from collections.abc import Callable, Mapping

from napari.layers import Layer
from qtpy.QtWidgets import QMessageBox

_HELP = "F1"  # napari cannot tell "?" from other keys that it does not know
_on_layers: "weakref.WeakKeyDictionary[Layer, list[LayerKeys]]" = weakref.WeakKeyDictionary()
_on_viewers = weakref.WeakSet()


class LayerKeys:
    """Binds commands to the keys of one layer at a time, or of several that belong together.

    Parameters
    ----------
    commands : mapping
        Key to what it does, in words, and a function without arguments.
    where : str
        When they work, for the sheet.
    """

    def __init__(
        self,
        commands: Mapping[str, tuple[str, Callable[[], None]]],
        where: str = "With the mask's layer selected",
    ):
        self._commands, self._where = dict(commands), where
        self._layers: tuple[Layer, ...] = ()
        self._viewer = None

    def follow(self, *layers: Layer | None) -> None:
        """Bind the keys of these layers, and let those of the last ones go."""
        wanted = tuple(layer for layer in layers if layer is not None)
        if wanted == self._layers:
            return
        self.leave()
        self._layers = wanted
        for layer in wanted:
            for key, (_, run) in self._commands.items():
                layer.bind_key(key, lambda _, run=run: run(), overwrite=True)
            _on_layers.setdefault(layer, []).append(self)
            _bind_help(layer)

    def follow_viewer(self, viewer) -> None:
        """Bind the keys wherever the viewer has the focus; keys of a layer come first."""
        self._viewer = viewer
        for key, (_, run) in self._commands.items():
            viewer.bind_key(key, lambda _, run=run: run(), overwrite=True)
        viewer.bind_key(_HELP, lambda _: self.show(), overwrite=True)
        _on_viewers.add(self)

    def leave(self) -> None:
        """Let the keys go."""
        if self._viewer is not None:
            for key in (*self._commands, _HELP):
                self._viewer.bind_key(key, None, overwrite=True)
            _on_viewers.discard(self)
            self._viewer = None
        layers, self._layers = self._layers, ()
        for layer in layers:
            for key in self._commands:
                layer.bind_key(key, None, overwrite=True)
            _on_layers[layer].remove(self)
            _bind_help(layer)

    def sheet(self) -> str:
        """What each key of the layer does, as rich text; other docks' keys among them."""
        docks = dict.fromkeys([*self._others(), self])
        sheets = {}
        for keys in docks:
            sheets[keys._where] = sheets.get(keys._where, "") + keys._rows()
        return "".join(f"<p>{where}:</p><table>{rows}</table>" for where, rows in sheets.items())

    def show(self) -> None:
        """Show the sheet; it stays beside the window and blocks nothing."""
        box = QMessageBox(QMessageBox.NoIcon, "Keys", self.sheet())
        box.setModal(False)
        box.show()
        self._box = box  # Qt closes what nobody holds

    def _others(self) -> list["LayerKeys"]:
        """Keys that work with the same layers: theirs, and those of their viewer."""
        layers = self._layers if self._viewer is None else tuple(self._viewer.layers)
        found = [keys for layer in layers for keys in _on_layers.get(layer, ())]
        return found + [
            keys
            for keys in _on_viewers
            if keys._viewer is not None and any(layer in keys._viewer.layers for layer in layers)
        ]

    def _rows(self) -> str:
        return "".join(
            f"<tr><td><b>{key.replace('-', '+')}</b>&nbsp;&nbsp;</td><td>{text}</td></tr>"
            for key, (text, _) in self._commands.items()
        )


def _bind_help(layer: Layer) -> None:
    """One key shows the sheet for as long as any dock has keys on the layer."""
    docks = _on_layers[layer]
    layer.bind_key(_HELP, (lambda _: docks[0].show()) if docks else None, overwrite=True)
