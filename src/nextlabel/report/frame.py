"""DataFrames made of rows, and their CSV files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Table:
    """A DataFrame and the name of its CSV file."""

    name: str
    frame: "DataFrame"

    @property
    def csv(self) -> str:
        """The table as CSV: numbers in full precision, empty cells where there is no value."""
        return str(self.frame.to_csv(index=False, lineterminator="\n"))


def make_frame(columns: Sequence[str], rows: Iterable[Row]) -> "DataFrame":
    """Return rows of values by column name as a DataFrame; a missing value is None or NaN.

    Whole numbers stay whole in a column that has missing values.
    """
    import pandas as pd

    listed = list(rows)
    series = {name: [row.get(name) for row in listed] for name in columns}
    nullable = {
        name
        for name, values in series.items()
        if None in values and all(value is None or type(value) is int for value in values)
    }
    return pd.DataFrame(
        {
            name: pd.array(values, dtype="Int64") if name in nullable else values
            for name, values in series.items()
        },
        columns=list(columns),
    )
