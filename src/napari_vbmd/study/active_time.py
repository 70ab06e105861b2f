"""How long somebody worked, out of the moments in which they did something."""

import time
from collections.abc import Callable

IDLE_S = 120.0  # a longer pause is no work; a shorter one may be a look at the image


class ActiveTime:
    """Active time, out of signs of life such as a key or the mouse.

    It is the sum of the pauses between them; of one longer than `IDLE_S` seconds nothing counts.

    Parameters
    ----------
    clock : callable
        Seconds, from any point on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._last: float | None = None
        self._seconds = 0.0

    @property
    def minutes(self) -> float:
        """Active minutes that nobody took."""
        return self._seconds / 60

    def start(self) -> None:
        """Begin at zero, with a sign of life."""
        self._seconds, self._last = 0.0, self._clock()

    def touch(self) -> None:
        """A sign of life; ignored when nothing was started."""
        if self._last is None:
            return
        now = self._clock()
        if now - self._last <= IDLE_S:
            self._seconds += now - self._last
        self._last = now

    def stop(self) -> None:
        """Count no further; what was counted stays."""
        self._last = None

    def take(self) -> float:
        """The active minutes, to be written down; counting goes on from zero."""
        minutes, self._seconds = self.minutes, 0.0
        return minutes

    def give_back(self, minutes: float) -> None:
        """Minutes that could not be written down."""
        self._seconds += 60 * minutes
