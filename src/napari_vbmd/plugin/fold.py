"""A section that folds away, and is as high as what is in it while that comes and goes."""

from superqt import QCollapsible

_ANY_HEIGHT = 2**24 - 1  # Qt's word for no limit


class Fold(QCollapsible):
    """As superqt's, which measures its height once, when it is opened."""

    def __init__(self, title: str):
        super().__init__(title)
        self.layout().setContentsMargins(0, 0, 0, 0)

    def expand(self, animate: bool = False) -> None:
        """Open; at once, for an animation ends in a fixed height."""
        super().expand(animate=False)
        self.content().setMaximumHeight(_ANY_HEIGHT)

    def collapse(self, animate: bool = False) -> None:
        """Close, at once."""
        super().collapse(animate=False)
