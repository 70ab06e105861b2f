"""The numbers of every label in its layer's features, where napari and other plugins find them.

napari shows the features of the label under the cursor, and a table of them. Columns that somebody
else put there are kept.
"""

import math

import pandas as pd
from napari.layers import Labels

from ..measurement.compartments import Compartments
from ..measurement.densitometry import Measurement
from ..measurement.tables import COMPARTMENTS, DENSITIES, Quantity

INDEX = "index"  # napari's name of the column that holds the label


def column(quantity: Quantity) -> str:
    """The name of a number's column, with its unit."""
    return f"{quantity.name} ({quantity.unit})" if quantity.unit else quantity.name


COLUMNS = tuple(column(quantity) for quantity in (*DENSITIES, *COMPARTMENTS))


def put(
    layer: Labels, labels: dict[int, Measurement], compartments: dict[int, Compartments]
) -> None:
    """Give every label its row; a number that cannot be had is NaN, as pandas has it."""
    rows = {label: _cells(DENSITIES, found) for label, found in labels.items()}
    for label in rows.keys() & compartments.keys():
        rows[label] |= _cells(COMPARTMENTS, compartments[label])
    ours = pd.DataFrame.from_dict(rows, orient="index")
    _set(layer, ours.join(_of_others(layer), how="outer"))


def take_away(layer: Labels) -> None:
    """Leave no number in the features that may not be the mask's."""
    if not set(COLUMNS).isdisjoint(layer.features.columns):
        _set(layer, _of_others(layer))


def _cells(quantities: tuple[Quantity, ...], of) -> dict[str, float]:
    values = {column(quantity): getattr(of, quantity.key) for quantity in quantities}
    return {name: math.nan if value is None else value for name, value in values.items()}


def _of_others(layer: Labels) -> pd.DataFrame:
    """What is in the features beside our numbers, by label."""
    table = layer.features
    if INDEX in table:  # else row i is label i
        table = table.set_index(INDEX)
    return table.drop(columns=list(COLUMNS), errors="ignore").dropna(how="all")


def _set(layer: Labels, table: pd.DataFrame) -> None:
    layer.features = table.rename_axis(INDEX).reset_index() if table.shape[1] else {}
