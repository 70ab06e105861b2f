"""How the hand lies in the scanner's field."""

from dataclasses import dataclass, replace

import numpy as np

from .fields import random

CENTRE_PU_MM = (3.0, -2.0)  # middle of the hand's cross-section, in the hand's own coordinates

# SD of how a hand that was taken out and put back lies off; by eye
REPLACED_DEG, REPLACED_MM, REPLACED_Z_MM = (4.0, 1.0, 1.0), 2.0, 0.8


@dataclass(frozen=True)
class Pose:
    """From scan coordinates (z towards the wrist, y, x, 0 in the middle) to the hand's (p, u, w).

    Parameters
    ----------
    turn : ndarray of float, shape (3, 3)
        Rotation from (x, y, z) to (p, u, w).
    shift_mm : ndarray of float, shape (3,)
        Where the scan's middle lies in the hand, as (p, u, w).
    """

    turn: np.ndarray
    shift_mm: np.ndarray

    def hand(self, z, y, x) -> tuple[np.ndarray, ...]:
        """Hand coordinates p, u, w of scan points [mm]; the three may broadcast."""
        return tuple(
            row[0] * x + row[1] * y + (row[2] * z + shift)
            for row, shift in zip(self.turn.tolist(), self.shift_mm.tolist(), strict=True)
        )

    def scan(self, p, u, w) -> tuple[np.ndarray, ...]:
        """Scan coordinates z, y, x of hand points [mm]."""
        moved = [c - shift for c, shift in zip((p, u, w), self.shift_mm, strict=True)]
        x, y, z = (
            sum(c * row[i] for c, row in zip(moved, self.turn, strict=True)) for i in range(3)
        )
        return z, y, x

    def with_tip(self, ray, offset_mm: float = 0.0) -> "Pose":
        """The same pose, moved along z until a ray's tip lies at its own w in the scan."""
        off = self.scan(ray.p, ray.u, ray.w)[0] - ray.w - offset_mm
        return replace(self, shift_mm=self.shift_mm + np.array([0, 0, off / self.turn[2, 2]]))


def draw_pose(seed: int, freedom: float = 1.0, repeat: int = 0) -> Pose:
    """Place and turn of one hand; `freedom` 0 puts it straight into the middle.

    For a repeated scan the hand was taken out and put back: it lies a little otherwise.
    """
    rng = random(seed, 6)
    about_z = np.deg2rad(np.clip(rng.normal(0, 14), -35, 35)) * freedom
    about_y, about_x = np.deg2rad(np.clip(rng.normal(0, 2.5, 2), -6, 6)) * freedom
    offset = rng.uniform(-7, 7, 2) * freedom
    turn = _turn(0, 1, about_z) @ _turn(0, 2, about_y) @ _turn(1, 2, about_x)
    shift = np.array([CENTRE_PU_MM[0] + offset[0], CENTRE_PU_MM[1] + offset[1], 0.0])
    if not repeat:
        return Pose(turn, shift)
    rng = random(seed, 6, repeat)
    about_z, about_y, about_x = np.deg2rad(rng.normal(0, REPLACED_DEG)) * freedom
    turn = turn @ _turn(0, 1, about_z) @ _turn(0, 2, about_y) @ _turn(1, 2, about_x)
    return Pose(turn, shift + freedom * np.array([*rng.normal(0, REPLACED_MM, 2), 0.0]))


def z_offset_mm(seed: int, repeat: int, freedom: float = 1.0) -> float:
    """How far a repeated scan begins off the first one, along z [mm]; 0 for the first."""
    return freedom * random(seed, 6, repeat, 1).normal(0, REPLACED_Z_MM) if repeat else 0.0


def _turn(first: int, second: int, angle: float) -> np.ndarray:
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix
