"""Pores of the cortex.

After Burghardt et al. 2010 (Bone 47:519): a pore is a void that cortical bone surrounds
within its slice. Their growth of pores along the canals is left out, so that a pore counts only
where its slice closes it.
"""

import numpy as np
from scipy import ndimage

_SMALLEST_MM3 = 5 * 0.0607**3  # five voxels; fewer are noise


def porosity_percent(cortex: np.ndarray, bone: np.ndarray, voxel_mm3: float) -> float:
    """Volume of the pores over that of pores and cortical bone [%].

    Parameters
    ----------
    cortex : ndarray of bool, shape (z, y, x)
        The cortical compartment.
    bone : ndarray of bool, same shape
        Its voxels above the threshold of cortical bone; at least one.
    voxel_mm3 : float
        Volume of a voxel [mm3].

    Returns
    -------
    float
        From 0 to below 100.
    """
    sides = ((0, 0), (1, 1), (1, 1))
    within_slice = ndimage.generate_binary_structure(3, 1)
    within_slice[[0, 2]] = False
    voids, count = ndimage.label(~np.pad(bone, sides), within_slice)
    enclosed = np.ones(count + 1, bool)
    enclosed[np.unique(voids[~np.pad(cortex, sides)])] = False  # open to the marrow, or to outside
    enclosed[0] = False
    pores, count = ndimage.label(enclosed[voids], np.ones((3, 3, 3)))
    sizes = np.bincount(pores.ravel(), minlength=count + 1)[1:]
    volume = sizes[sizes * voxel_mm3 >= _SMALLEST_MM3 * (1 - 1e-6)].sum()
    return float(100 * volume / (volume + np.count_nonzero(bone)))
