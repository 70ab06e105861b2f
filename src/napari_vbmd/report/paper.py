"""A sheet of A4 that is written from top to bottom, in points (1/72 inch), without pyplot."""

import io
from functools import lru_cache

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from .style import INK

_WIDE, _HIGH = 595.28, 841.89  # A4
_SIDE, _TOP, _BOTTOM = 34.0, 30.0, 28.0  # margins
_LEADING = 1.28  # line feed in sizes of the letters
_FAMILY = "DejaVu Sans"  # comes with matplotlib: alike on every computer


class Paper:
    """One sheet; what is written goes below what was written before.

    Parameters
    ----------
    letters : float
        Factor on every size of letters.

    Attributes
    ----------
    figure : Figure
    y : float
        How far down the next line begins [points from the sheet's top].
    width : float
        Between the margins [points].
    """

    def __init__(self, letters: float = 1.0):
        self.figure = Figure(figsize=(_WIDE / 72, _HIGH / 72))
        FigureCanvasAgg(self.figure)
        self.letters, self.y, self.width = letters, _TOP, _WIDE - 2 * _SIDE
        self._known = get_font(findfont(FontProperties(family=_FAMILY))).get_charmap()

    @property
    def room(self) -> float:
        """What is left above the footer [points]; negative when too much was written."""
        return _HIGH - _BOTTOM - 14 - self.y

    def printable(self, text: str) -> str:
        """The text with a question mark for each character that the font does not have."""
        return "".join(c if ord(c) in self._known else "?" for c in text)

    def measure(self, text: str, size: float, weight: str = "normal") -> float:
        """How wide a line is [points]."""
        wide = sum(_advance(c, weight) for c in self.printable(text))
        return wide * size * self.letters

    def write(
        self, text, left, size, *, weight="normal", colour=INK, align="left", drop=None
    ) -> float:
        """One line at this height, which stays; gives where it ends. ``drop``: down to its foot."""
        foot = self.y + (size * self.letters if drop is None else drop)
        self.figure.text(
            (_SIDE + left) / _WIDE,
            1 - foot / _HIGH,
            self.printable(text),
            family=_FAMILY,
            size=size * self.letters,
            weight=weight,
            color=colour,
            ha=align,
            va="baseline",
            parse_math=False,
        )
        return left + (self.measure(text, size, weight) if align == "left" else 0.0)

    def line_feed(self, size: float) -> None:
        """Down by a line of letters of this size."""
        self.y += size * self.letters * _LEADING

    def skip(self, points: float) -> None:
        """Down by a gap."""
        self.y += points

    def paragraph(self, text, size, *, left=0.0, width=None, weight="normal", colour=INK) -> None:
        """A text in as many lines as it needs, down to its end."""
        width = self.width - left if width is None else width
        for line in self._lines(text, size, width, weight):
            self.write(line, left, size, weight=weight, colour=colour)
            self.line_feed(size)

    def box(self, texts, size, fill, edge, weight="normal") -> None:
        """Paragraphs on a tinted ground with a bar on the left."""
        top = self.y
        self.skip(3)
        for text in texts:
            self.paragraph(text, size, left=10, width=self.width - 18, weight=weight)
        self.skip(2.5)
        for left, width, colour in ((0, self.width, fill), (0, 3, edge)):
            corner = (_SIDE + left) / _WIDE, 1 - self.y / _HIGH
            shape = Rectangle(corner, width / _WIDE, (self.y - top) / _HIGH, lw=0, fc=colour)
            shape.set(transform=self.figure.transFigure, zorder=-1)
            self.figure.add_artist(shape)
        self.skip(5)

    def rule(self, thick, colour=INK, left=0.0, right=None) -> None:
        """A line across."""
        ends = [(_SIDE + x) / _WIDE for x in (left, self.width if right is None else right)]
        height = 1 - self.y / _HIGH
        self.figure.add_artist(Line2D(ends, [height, height], lw=thick, color=colour))
        self.skip(0.8)

    def picture(self, pixels: np.ndarray, share: float = 1.0) -> None:
        """A picture as wide as the sheet's text, or as a share of that, in its middle."""
        width = self.width * share
        height = width * pixels.shape[0] / pixels.shape[1]
        self.y += height
        left = (_SIDE + (self.width - width) / 2) / _WIDE
        axes = self.figure.add_axes((left, 1 - self.y / _HIGH, width / _WIDE, height / _HIGH))
        axes.imshow(pixels, aspect="auto", interpolation="none")
        axes.set_axis_off()
        self.skip(4)

    def footer(self, text: str, size: float) -> None:
        """The last line of the sheet."""
        before, self.y = self.y, _HIGH - _BOTTOM - 10
        self.rule(0.7)
        self.write(text, 0, size, weight="bold")
        self.y = before

    @staticmethod
    def read_png(png: bytes) -> np.ndarray:
        """The pixels of a PNG, as uint8 red, green and blue."""
        pixels = imread(io.BytesIO(png), format="png")[..., :3]
        return np.rint(pixels * 255).astype(np.uint8)

    def _lines(self, text, size, width, weight) -> list[str]:
        """Broken between words; a word longer than a line (a hash, a file name) anywhere."""
        lines, line = [], ""
        for word in text.split(" "):
            longer = f"{line} {word}" if line else word
            if self.measure(longer, size, weight) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            while self.measure(word, size, weight) > width:
                fits = self._longest(word, size, width, weight)
                lines.append(word[:fits])
                word = word[fits:]
            line = word
        return [*lines, line]

    def _longest(self, word, size, width, weight) -> int:
        """How many letters of a word fit; one at least."""
        share = width / self.measure(word, size, weight)
        count = max(1, int(len(word) * share))
        while count > 1 and self.measure(word[:count], size, weight) > width:
            count -= 1
        return count


@lru_cache(maxsize=4096)
def _advance(letter: str, weight: str) -> float:
    """How far a letter moves the next one, in sizes of the letters."""
    font = get_font(findfont(FontProperties(family=_FAMILY, weight=weight)))
    font.set_size(100, 72)
    return font.load_char(ord(letter)).linearHoriAdvance / 65536 / 100
