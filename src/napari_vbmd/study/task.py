"""What one kind of network learns, and from what: all that `training` does not know.

A new kind of network is a new task. Importing this file does not import torch.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..segmentation.preprocessing import Normalisation, Preset
from .manifest import Case
from .volumes import Prepared, Volume

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Score:
    """How good a network is on one volume that it was not trained on.

    Attributes
    ----------
    dice : float
        By which the best checkpoint is chosen.
    loss : float
        The training's loss, on what is shown in validation.
    """

    dice: float
    loss: float


class Task(ABC):
    """One kind of training. Plain data, so that it can be sent to other processes.

    Attributes
    ----------
    normalisation : Normalisation
        Of the training set; there after `learn_from`.
    """

    normalisation: Normalisation

    @property
    @abstractmethod
    def sight(self) -> Preset:
        """The size, spacing, unit and threshold that its weights are used with."""

    @property
    @abstractmethod
    def recipe(self) -> Mapping[str, Any]:
        """All that decides what `prepare` makes of a case, ready for JSON: a part of its key."""

    @abstractmethod
    def prepare(self, case: Case) -> Prepared:
        """What is kept on disk of a case; NumPy only, run in other processes.

        Raises
        ------
        VbmdError
            Whatever is wrong with its files.
        """

    @abstractmethod
    def learn_from(self, volumes: Sequence[Volume]) -> None:
        """Take from the training set what must be known before the first step."""

    @abstractmethod
    def network(self) -> "nn.Module":
        """The network to be trained, from torch's random numbers."""

    @abstractmethod
    def batch(self, volumes: Sequence[Volume], draw: np.random.Generator) -> Any:
        """One batch, an example of each volume: tensors, or tuples and dicts of them.

        All chance comes from ``draw``, so that a step is the same when it is repeated.
        """

    @abstractmethod
    def loss(self, network: "nn.Module", batch: Any) -> "Tensor":
        """The loss of a batch: runs the network, or its parts."""

    @abstractmethod
    def score(self, network: "nn.Module", volume: Volume, device: "Any") -> Score:
        """How good the network is on a whole volume; no gradients are kept."""
