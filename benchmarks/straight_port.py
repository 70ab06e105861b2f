"""The published pipeline, ported straightforwardly, as something to measure beside.

Written from its description (Folle et al. 2021, Sci Rep 11:9697): the whole scan is read into
floating point, squeezed to 80 x 512 x 512, mirrored if it is a left hand and normalised; the 2D
U-Net sees it batch by batch; its probability is brought up to the whole scan and cut; holes are
closed by geodesic active contours; the density is taken from a whole volume in mg HA/cm3.

The network's weights are random, which costs as much as trained ones. Its answer is thrown away and
the expert's mask, sampled to the network's grid, takes its place, so that the later steps have a
bone to work on. Reading that mask is not timed. Writing uses this project's AIM writer.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SIZE = (80, 512, 512)  # z, y, x of what the network sees
BATCH = 4
THRESHOLD = 0.5
GEODESIC_STEPS = 35
EDGE_SIGMA = 2.0  # voxels
MARGIN = 8  # voxels around the bone's box, where the contours are confined to it
HOLES = ("box", "none")  # closed on the bone's box, or left as they are


def port(
    scan_path: Path, mask_path: Path, out: Path, size: tuple[int, int, int] = SIZE, holes="box"
) -> Callable[[], dict]:
    """Import and load what is not timed; gives the function that is."""
    import skimage.segmentation
    import skimage.transform  # noqa: F401  loads what it needs
    import torch

    from napari_vbmd.io.aim_write import write_aim_mask
    from napari_vbmd.io.files import read_scan
    from napari_vbmd.segmentation.configurations import CONFIGURATIONS

    scan = read_scan(scan_path)  # only its header: nothing is read yet
    gain, offset = scan.density_transform()
    left = scan.side == "left"
    answer = _on_network_grid(mask_path, scan.grid, size)
    answer = answer[:, ::-1].copy() if left else answer  # as the network sees it
    network = CONFIGURATIONS["unet-2d"].build().eval()

    def run() -> dict:
        clock = _Clock()
        volume = np.fromfile(scan_path, "<i2", offset=scan.voxels.offset)
        volume = volume.reshape(scan.grid.shape).astype(np.float32)
        clock.stop("read")
        seen = _resized(volume, size)
        seen = seen[:, ::-1].copy() if left else seen
        seen = (seen - seen.mean()) / seen.std()
        clock.stop("sample")
        with torch.no_grad():
            batches = torch.from_numpy(seen)[:, None].split(BATCH)
            np.concatenate([network(batch).sigmoid()[:, 0].numpy() for batch in batches])
        clock.stop("network")
        probability = answer[:, ::-1] if left else answer  # mirrored back
        mask = _resized(probability, scan.grid.shape) > THRESHOLD
        clock.stop("back to the scan's grid")
        if holes == "box":
            mask = _filled(mask)
        clock.stop("close holes")
        density = volume * np.float32(gain) + np.float32(offset)
        mean = float(density[mask].mean(dtype=np.float64))
        area = mask.sum(axis=(1, 2))
        clock.stop("measure")
        write_aim_mask(out / "mask.aim", mask.astype(np.uint8), scan.grid)
        clock.stop("mask file")
        voxels = int(area.sum())
        return {"seconds": clock.seconds, "tt_vbmd_mg_cm3": mean, "voxels": voxels}

    return run


def _resized(volume: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Trilinear, without smoothing before."""
    from skimage.transform import resize

    return resize(volume, shape, order=1, preserve_range=True, anti_aliasing=False)


def _filled(mask: np.ndarray) -> np.ndarray:
    """Geodesic active contours that shrink onto the bone's edges, on its box and a margin.

    On the whole volume the same takes 65 minutes and ends outside the bone. Here a full-size bone
    comes back with a Dice of 0.999, hollow or not; with 1 - mask in the gradient's place, 0.982.
    """
    from skimage.segmentation import inverse_gaussian_gradient
    from skimage.segmentation import morphological_geodesic_active_contour as contour

    used = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    box = tuple(slice(max(0, u[0] - MARGIN), u[-1] + 1 + MARGIN) for u in used)
    edges = inverse_gaussian_gradient(mask[box].astype(np.float32), alpha=100, sigma=EDGE_SIGMA)
    start = np.ones(edges.shape, np.int8)
    shrunk = contour(edges, GEODESIC_STEPS, start, smoothing=1, threshold=0.5, balloon=-1)
    result = np.zeros_like(mask)
    result[box] = shrunk.astype(bool)
    return result


def _on_network_grid(path: Path, grid, size: tuple[int, int, int]) -> np.ndarray:
    """The expert's mask, nearest voxel by nearest voxel, float32."""
    from napari_vbmd.grid import place
    from napari_vbmd.io.files import read_mask

    mask = read_mask(path)
    placed = place(mask.grid, grid)
    target = placed.target_box
    part = place(mask.grid, grid.box(target)).paste(mask.voxels)
    result, picked, wanted = np.zeros(size, np.float32), [], []
    for n, count, side in zip(grid.shape, size, target, strict=True):
        index = np.minimum(((np.arange(count) + 0.5) * n / count).astype(int), n - 1)
        inside = np.flatnonzero((index >= side.start) & (index < side.stop))
        wanted.append(inside)
        picked.append(index[inside] - side.start)
    result[np.ix_(*wanted)] = part[np.ix_(*picked)] != 0
    return result


class _Clock:
    """Seconds of one step after the other."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def stop(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[step] = now - self._last
        self._last = now
