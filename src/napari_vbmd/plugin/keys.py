"""Keys of a labels layer, and the sheet that lists them. They belong to the layer, not the window.

napari ignores the key bindings of a manifest, so they are bound in code.
"""

from collections.abc import Callable, Mapping

from napari.layers import Labels
from qtpy.QtWidgets import QMessageBox

_HELP = "F1"  # napari cannot tell "?" from other keys that it does not know


class LayerKeys:
    """Binds commands to the keys of one layer at a time.

    Parameters
    ----------
    commands : mapping
        Key to what it does, in words, and a function without arguments.
    """

    def __init__(self, commands: Mapping[str, tuple[str, Callable[[], None]]]):
        self._commands = dict(commands)
        self._layer: Labels | None = None

    def follow(self, layer: Labels | None) -> None:
        """Bind the keys of this layer, and let those of the last one go."""
        if layer is self._layer:
            return
        self.leave()
        self._layer = layer
        if layer is not None:
            for key, (_, run) in self._commands.items():
                layer.bind_key(key, lambda _, run=run: run(), overwrite=True)
            layer.bind_key(_HELP, lambda _: self.show(), overwrite=True)

    def leave(self) -> None:
        """Let the keys go."""
        if self._layer is not None:
            for key in (*self._commands, _HELP):
                self._layer.bind_key(key, None, overwrite=True)
        self._layer = None

    def sheet(self) -> str:
        """What each key does, as rich text."""
        rows = "".join(
            f"<tr><td><b>{key.replace('-', '+')}</b>&nbsp;&nbsp;</td><td>{text}</td></tr>"
            for key, (text, _) in self._commands.items()
        )
        return f"<p>With the mask's layer selected:</p><table>{rows}</table>"

    def show(self) -> None:
        """Show the sheet; it stays beside the window and blocks nothing."""
        box = QMessageBox(QMessageBox.NoIcon, "Keys", self.sheet())
        box.setModal(False)
        box.show()
        self._box = box  # Qt closes what nobody holds
