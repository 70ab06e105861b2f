"""The command `phantom`: a synthetic hand as files, with its known answer."""

import argparse
import time
from pathlib import Path
from typing import Any

from .console import aligned

SUMMARY = "draw a synthetic hand with a known answer"
_FIRST_TEST_SEED = 100_000  # no network was trained on it


def add_options(command: argparse.ArgumentParser) -> None:
    """What may be typed after ``phantom``."""
    command.add_argument("out", type=Path, metavar="OUT.ISQ", help="the scan")
    command.add_argument(
        "--mask", type=Path, metavar="FILE", help="write the expert's mask, too (.aim, .nii.gz, …)"
    )
    command.add_argument(
        "--seed",
        type=int,
        default=_FIRST_TEST_SEED,
        metavar="N",
        help="which hand: 0 to 99999 for training, 100000 to 199999 for tests (default: 100000)",
    )
    command.add_argument(
        "--side", choices=("left", "right"), default="left", help="of the hand (default: left)"
    )
    command.add_argument(
        "--size",
        choices=("small", "full"),
        default="small",
        help="small is 10 MB at 0.246 mm, full 1.1 GB at 0.082 mm and takes minutes "
        "(default: small)",
    )
    command.add_argument(
        "--fingertips",
        choices=("low", "high"),
        help="the end of z at which they are (default: low for even seeds)",
    )


def draw(arguments: argparse.Namespace, progress) -> dict[str, Any]:
    """Draw the hand into the files; the content of ``--json``."""
    from ..phantom.slabs import HandScan
    from ..pipeline.phantom import check_phantom_paths, write_phantom

    start = time.perf_counter()
    out, mask = arguments.out, arguments.mask
    check_phantom_paths(out, mask)
    hand = HandScan(arguments.seed, arguments.side, arguments.size, arguments.fingertips)
    answer = write_phantom(hand, out, mask, progress)
    return {
        "scan": str(out),
        "mask": str(mask) if mask else None,
        "synthetic": True,
        **answer.to_dict(),
        "shape_zyx": hand.grid.shape,
        "spacing_mm": hand.grid.spacing_mm,
        "seconds": round(time.perf_counter() - start, 3),
    }


def text(content: dict[str, Any]) -> str:
    """`draw` for people."""
    slices, density = content["slices"], "mg HA/cm3"
    voxels = " x ".join(map(str, content["shape_zyx"]))
    rows = [
        ("known Tt.vBMD", f"{content['tt_vbmd_mg_cm3']:.1f} {density}, before blur and noise"),
        ("the scan gives", f"{content['scanned_tt_vbmd_mg_cm3']:.1f} {density} in the mask"),
        ("mean slice area", f"{content['mean_slice_area_mm2']:.1f} mm2"),
        ("expert's slices", f"{slices['first']} to {slices['last']}"),
    ]
    if content["mask"]:
        rows.append(("expert's mask", content["mask"]))
    head = (
        f"{content['scan']}: a synthetic {content['side']} hand, not a person; {voxels} voxels of "
        f"{content['spacing_mm'][0]:.3g} mm (seed {content['seed']})"
    )
    return f"{head}\n{aligned(rows)}"
