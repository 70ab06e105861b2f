"""How the house looks in print: the patient report on one sheet of A4, and plots."""

from matplotlib.axes import Axes

# Blue and orange after Okabe and Ito, told apart by every eye, dark enough for white paper
OURS_IN_PRINT, REFERENCE_IN_PRINT, AGREEMENT_GREY = "#0072B2", "#D55E00", "#8A8A8A"
INK = "#1d2329"

CSS = """
@page { size: A4; margin: 11mm 12mm; }
* { box-sizing: border-box; margin: 0; padding: 0; }
body { font: 12px/1.35 system-ui, "DejaVu Sans", sans-serif; color: #1d2329; background: #fff;
  max-width: 186mm; margin: 6mm auto; }
header { display: flex; align-items: baseline; gap: 5mm; border-bottom: 2px solid #1d2329;
  padding-bottom: 1.5mm; margin-bottom: 3mm; }
h1 { font-size: 19px; }
header p { overflow-wrap: anywhere; }
.right { margin-left: auto; color: #59636e; font-size: 10.5px; white-space: nowrap; }
.banner, .warnings { border-left: 4px solid #e69f00; background: #fdf4e0; padding: 1.4mm 3mm;
  margin-bottom: 2mm; }
.banner { font-weight: 600; }
.warnings { padding-left: 7mm; }
.headline { display: flex; gap: 8mm; margin: 2mm 0 3mm; }
.headline > div { flex: none; }
.headline > div:first-child { flex: 1; min-width: 0; }
.label { color: #59636e; font-size: 11px; }
.big { font-size: 33px; font-weight: 650; line-height: 1.15; white-space: nowrap; }
.middle { font-size: 22px; font-weight: 600; line-height: 1.725; white-space: nowrap; }
.headline > div + div p { white-space: nowrap; }
.sd { font-weight: 400; }
.unit { font-weight: 400; color: #59636e; }
.big .unit, .middle .unit { font-size: 13px; }
.note { color: #59636e; font-size: 10.5px; margin-bottom: 2mm; }
.small { color: #59636e; font-size: 10px; }
img { display: block; width: 100%; height: auto; margin-bottom: 2mm; }
.columns { display: flex; gap: 10mm; align-items: flex-start; margin-bottom: 3mm; }
table { border-collapse: collapse; font-size: 11px; flex: 1 1 auto; }
.columns table:only-child { flex: none; min-width: 60%; }
th { text-align: left; font-weight: 400; padding-right: 3mm; }
td { text-align: right; font-variant-numeric: tabular-nums; padding: 0 0 0 3mm;
  white-space: nowrap; }
td.unit { text-align: left; padding-left: 1.5mm; }
.bones { margin-bottom: 3mm; }
.bones table { width: 100%; }
.bones td { padding-left: 1.5mm; }
.bones thead tr:first-child { border: 0; }
thead td { color: #59636e; font-size: 10px; }
tr { border-bottom: 1px solid #e3e6e9; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.4mm 4mm; font-size: 9.5px;
  line-height: 1.3; }
dt { color: #59636e; }
dd { overflow-wrap: anywhere; }
footer { border-top: 1px solid #b9c0c7; margin-top: 3mm; padding-top: 1.2mm; font-weight: 600;
  font-size: 11px; }
@media print { /* one sheet: what is long makes the pictures smaller, then the letters */
  * { print-color-adjust: exact; }
  body { margin: 0 auto; height: 274mm; display: flex; flex-direction: column; line-height: 1.25; }
  body > * { flex: none; }
  header { margin-bottom: 2mm; }
  img { flex: 0 1 auto; min-height: 18mm; margin-bottom: 1mm; object-fit: contain; }
  .warnings, .banner { font-size: calc(10px * var(--letters)); padding-top: 0.8mm;
    padding-bottom: 0.8mm; }
  .headline { margin: 1mm 0 2mm; }
  .big { font-size: calc(28px * var(--letters)); }
  .middle { font-size: calc(20px * var(--letters)); line-height: 1.61; }
  .label, .small, .note { font-size: calc(9.3px * var(--letters)); }
  .note { margin-bottom: 1mm; }
  .columns, .bones { margin-bottom: 2mm; }
  table { font-size: calc(10px * var(--letters)); }
  thead td { font-size: calc(9.3px * var(--letters)); }
  dl { font-size: calc(8.5px * var(--letters)); line-height: 1.25; gap: 0 4mm; }
  footer { margin-top: auto; } }
"""


def plain_axes(axes: Axes, x: str, y: str, ink: str = INK, font: float = 7.5) -> None:
    """Axes with two spines, a light grid and labels.

    Parameters
    ----------
    axes : Axes
    x, y : str
        What is shown, with its unit.
    ink : str
        Colour of text and spines.
    font : float
        Of the labels [points]; ticks are half a point smaller.
    """
    axes.set_xlabel(x, color=ink, fontsize=font, labelpad=2)
    axes.set_ylabel(y, color=ink, fontsize=font, labelpad=2)
    axes.tick_params(colors=ink, labelsize=font - 0.5, length=2)
    axes.grid(alpha=0.25, lw=0.5)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink)
