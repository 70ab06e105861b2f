"""A gentle word where a result lies outside of what was published for heads of metacarpals.

It is a reason to look at outline, slices and calibration, no error: other bones, other parts of a
bone and other people differ.

Sources
-------
Tt.vBMD: 162 to 377 mg HA/cm3, heads of the second metacarpal of patients with arthritis (Folle et
al. 2021, Sci Rep 11:9697, D100; mean 279, SD 43). 148 to 649 mg HA/cm3, heads of the second (162 to
649) and third metacarpal (148 to 638) of 73 people, the scanner maker's own numbers (ORMIR-XCT,
manuscript/notebooks/csv/bmd_ipl.csv, columns MCP2 PRX and MCP3 PRX). More than a quarter of these
lie above 377: only what lies outside of both ranges is worth a word.

Tt.Ar: 122.2 (SD 19.7) mm2, mean over the slices of a bone, second metacarpals from the tip of the
head to where the outline of the shaft turns into a delta (Folle et al. 2021, n = 30). A word is
said beyond three SD: two bones in one mask, or a small part of one, lie there; the two bones of
ORMIR-XCT's example joint do not.

Time: 33.45 s a patient for the 2D and 32.98 s for the 3D network, file to file, on an RTX 2080
(Folle et al. 2021, Table 2); the whole workflow 2.5 to 4.0 times as fast (abstract). What the
semi-automatic segmentation took in seconds is not in what we could read.
"""

DENSITY_MG_CM3 = (148.0, 649.0)
AREA_MM2, AREA_SD_MM2 = 122.2, 19.7
_SDS = 3.0
DISTRIBUTION = (
    "heads of the second metacarpal, 30 patients with arthritis: Tt.vBMD 279 (SD 43, range 162 to "
    "377) mg HA/cm3, Tt.Ar 122.2 (SD 19.7) mm2 (Folle et al. 2021); heads of metacarpals of 73 "
    "people: 148 to 649 mg HA/cm3 (ORMIR-XCT)"
)
SECONDS = (
    "published: 33.5 with the 2D, 33.0 with the 3D network on an RTX 2080, the whole workflow 2.5 "
    "to 4.0 times as fast as the semi-automatic one, Folle et al. 2021"
)


def unlike_published(tt_vbmd_mg_cm3: float, mean_slice_area_mm2: float) -> list[str]:
    """What is unlike the published heads of metacarpals; most often nothing.

    Parameters
    ----------
    tt_vbmd_mg_cm3 : float
        Mean density within the mask [mg HA/cm3].
    mean_slice_area_mm2 : float
        Over the slices that hold mask [mm2].

    Returns
    -------
    list of str
        A sentence each for the density and the area, where there is something to say.
    """
    notes = []
    low, high = DENSITY_MG_CM3
    if not low <= tt_vbmd_mg_cm3 <= high:
        side = "below" if tt_vbmd_mg_cm3 < low else "above"
        notes.append(
            f"Tt.vBMD {tt_vbmd_mg_cm3:.1f} mg HA/cm3 lies {side} the published heads of "
            "metacarpals (162 to 377 in Folle et al. 2021, 148 to 649 in 73 people of ORMIR-XCT): "
            "look at outline, slices and calibration"
        )
    if abs(mean_slice_area_mm2 - AREA_MM2) > _SDS * AREA_SD_MM2:
        size = "smaller" if mean_slice_area_mm2 < AREA_MM2 else "larger"
        notes.append(
            f"a mean slice area of {mean_slice_area_mm2:.2f} mm2 is {size} than that of published "
            "second metacarpals, head to delta (122 mm2, SD 20, n = 30, Folle et al. 2021); "
            "another bone or another part of it may well have it"
        )
    return notes
