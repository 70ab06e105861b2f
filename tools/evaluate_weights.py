"""Try weights on hands of the tests' seeds, which no training sees: the table of a model card.

    python tools/evaluate_weights.py unet-3d [--weights FILE] [--seeds 100010:100022]

Odd seeds have their fingertips at high z; every third hand is a left one. Each hand is segmented
twice: with the whole scan to search, and within the expert's slices, as published.
"""

import argparse
import time

import numpy as np
import pandas as pd

from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.phantom.hand import render
from napari_vbmd.pipeline import make_mask
from napari_vbmd.scan import Mask, Scan
from napari_vbmd.segmentation.methods import METHODS, NetworkParameters


def main() -> None:
    """Print one line a hand, then the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("--weights")
    parser.add_argument("--seeds", default="100010:100022", help="FIRST:STOP")
    args = parser.parse_args()
    first, stop = (int(part) for part in args.seeds.split(":"))
    rows = [row for seed in range(first, stop) for row in try_hand(args, seed)]
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    for name, part in table.groupby("slices"):
        numbers = part.drop(columns=["seed", "side", "slices", "why"])
        print(f"\nslices: {name}, {len(part)} hands, {int(part.dice.isna().sum())} without a mask")
        print(numbers.agg(["mean", "std", "min", "max"]).to_string(float_format="%.3f"))


def try_hand(args, seed: int) -> list[dict]:
    """One hand, both ways."""
    side = "left" if seed % 3 == 0 else "right"
    hand = render(seed, side=side)
    scan = Scan(hand.voxels, "native", hand.grid, hand.calibration, side=side)
    expert = Mask((hand.label >= 0.5).astype(np.uint8), hand.grid)
    marked = np.flatnonzero(expert.voxels.any(axis=(1, 2)))
    whole = {"whole scan": None, "expert's": (int(marked[0]), int(marked[-1]))}
    return [
        {"seed": seed, "side": side, "slices": name, **scores(args, scan, expert, slices, marked)}
        for name, slices in whole.items()
    ]


def scores(args, scan, expert, slices, marked) -> dict:
    """Agreement with the expert; the ends of the mask in slices, ours minus the expert's."""
    start = time.perf_counter()
    parameters = NetworkParameters(weights=args.weights)
    try:
        segmentation, _ = make_mask(scan, args.method, parameters, slices)
    except ValueError as error:
        return {"dice": np.nan, "why": str(error)}
    result = measure_against(scan, segmentation.mask, expert)
    found = result.measurement.slices
    return {
        "dice": result.overlap.dice,
        "hd95_mm": result.overlap.hd95_mm,
        "d100": result.measurement.tt_vbmd_mg_cm3,
        "d100_difference": result.difference_mg_cm3,
        "d100_common": result.difference_common_slices_mg_cm3,
        "first": found["first"] - int(marked[0]),
        "last": found["last"] - int(marked[-1]),
        "seconds": time.perf_counter() - start,
        "why": "",
    }


if __name__ == "__main__":
    main()
