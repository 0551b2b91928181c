"""Centres whose products are torch's in bfloat16: on processors that have it, or on CUDA.

A row y (all blocks side by side, each times the root of its weight) is rounded once to ŷ, and the
norms join the product as columns of their own, so that one product gives -‖ŷ - ĉ‖²/2: what a
result in bfloat16 loses is then a share of the distance and not of the norms. By the triangle
inequality the true distance differs from that of the rounded rows by at most ‖y - ŷ‖ + ‖c - ĉ‖,
which is known, since rounding is exact arithmetic's own.
"""

from typing import Any, NamedTuple

import numpy as np

from nextlabel.core.types import Array
from nextlabel.kernels.distance.products import Screen
from nextlabel.kernels.k_centre.centres import Centres, Floats, NumpyCentres, Places, room

ROUNDED = 2.0**-8
"""Largest relative error of one rounding to bfloat16, which has 8 bits."""

SUMMED = 2.0**-22
"""The same of sums in float32, four times that of rounding to nearest: tensor cores truncate.

Fasi, Higham, Mikaitis & Pranesh, Numerical behavior of NVIDIA tensor cores, 2021,
https://doi.org/10.7717/peerj-cs.330
"""

PIECES = 3
"""Columns that hold half a norm: three times 8 bits are float32's 24."""


class Columns(NamedTuple):
    """Rows as one side of products; `spread` is ‖y - ŷ‖ (n), `norms` the true ‖y‖² (n)."""

    columns: Any
    norms: Floats
    spread: Floats

    def take(self, places: Places) -> "Columns":
        """Return some of the rows."""
        return Columns(self.columns[_index(places, self.columns)], *(a[places] for a in self[1:]))


class Tile(NamedTuple):
    """Rows y in float32, (n, d), and as one side of products."""

    rows: Any
    columns: Any

    def take(self, places: Places) -> "Tile":
        """Return some of the rows."""
        index = _index(places, self.rows)
        return Tile(self.rows[index], self.columns[index])


class BfloatCentres(Centres):
    """Centres on a torch device. What is decided there in vain is counted by who asks."""

    precision = np.float32

    def __init__(self, screen: Screen, device: str, capacity: int) -> None:
        import torch

        super().__init__(screen, capacity)
        parts = screen.metric.parts
        self.torch, self.device = torch, torch.device(device)
        self.dimensions = sum(part.array.shape[1] for part in parts)
        self.roots = [np.float32(part.weight**0.5) for part in parts]
        self.width = -(-(self.dimensions + 2 * PIECES) // 8) * 8
        # In n columns: two sums for a squared distance, and a norm's own.
        self.kappa = 2.4 * (self.width + 16) * SUMMED
        self.eta = screen.rounding(np.float32)[1]
        self.direct = (8 * self.dimensions + 80) * 2.0**-52
        # Only CUDA gives results in float32.
        self.result = 0.0 if self.device.type == "cuda" else ROUNDED
        self.kept = room(capacity, 2 * self.width)
        self._held = torch.empty(self.kept, self.width, dtype=torch.bfloat16, device=device)
        self._spread = np.empty(capacity)

    def _keep(self, begin: int, rows: list[Array]) -> None:
        found = self._columns(self._rows(rows), self._norms[begin : self.count], False)
        self._spread[begin : self.count] = found.spread
        room = max(self.kept - begin, 0)
        self._held[begin : self.count] = found.columns[:room]

    def _rows(self, rows: list[Array]) -> Any:
        """Return y on the device: float32, off by at most 2^-22 of its length."""
        found, at = np.empty((len(rows[0]), self.dimensions), np.float32), 0
        for own, root in zip(rows, self.roots, strict=True):
            np.multiply(own, root, out=found[:, at : at + own.shape[1]])
            at += own.shape[1]
        return self.torch.from_numpy(found).to(self.device)

    def _side(self, rows: Any, first: bool) -> tuple[Any, Any]:
        """Return the columns of a side, and ŷ."""
        torch, n = self.torch, len(rows)
        columns = torch.zeros(n, self.width, dtype=torch.bfloat16, device=self.device)
        rounded = columns[:, : self.dimensions]
        rounded.copy_(rows)
        back = rounded.float()
        half = back.square().sum(1) / 2
        own, other = (0, PIECES) if first else (PIECES, 0)
        at = self.dimensions
        columns[:, at + other : at + other + PIECES] = 1
        for k in range(at + own, at + own + PIECES):
            columns[:, k] = -half
            half += columns[:, k].float()
        return columns, back

    def _columns(self, rows: Any, norms: Floats, first: bool) -> Columns:
        columns, back = self._side(rows, first)
        spread = _host(back.sub_(rows).square_().sum(1)) ** 0.5
        # What float32 may have lost before, within the sum, and below its range.
        lost = 2.0**-22 * np.sqrt(norms) + self.dimensions**0.5 * 2.0**-62
        return Columns(columns, norms, 1.02 * spread + lost)

    def lot(self, rows: list[Array], norms: Floats) -> Columns:
        """Return rows ready for `near`."""
        return self._columns(self._rows(rows), norms, True)

    def tile(self, rows: list[Array]) -> Tile:
        """Return rows ready for `witness`."""
        own = self._rows(rows)
        return Tile(own, self._side(own, True)[0])

    def others(self, rows: list[Array], norms: Floats) -> Tile:
        """Return the other side of products."""
        own = self._rows(rows)
        return Tile(own, self._side(own, False)[0])

    def _product(self, columns: Any, others: Any) -> Any:
        """Return -‖ŷ - ĉ‖²/2, shape (n, k): summed in float32, in bfloat16 on a processor."""
        if self.result:
            return self.torch.mm(columns, others.T)
        return self.torch.mm(columns, others.T, out_dtype=self.torch.float32)

    def nearest(self, tile: Tile, others: Tile) -> Places:
        """Return which of the others each row is nearest to, or nearly."""
        return np.asarray(_host(self._product(tile.columns, others.columns).argmax(1)), np.int64)

    def witness(self, tile: Tile, others: Tile) -> tuple[Places, Floats, Floats]:
        """Return the same, the distance by direct differences in float32, and the slack."""
        best = self._product(tile.columns, others.columns).argmax(1)
        theirs = others.rows[best]
        lengths = [_host(side.square().sum(1)) for side in (tile.rows, theirs)]
        found = _host((tile.rows - theirs).square_().sum(1))
        lost = 1.02 * (np.sqrt(lengths[0]) + np.sqrt(lengths[1])) * 2.0**-22
        lost += self.dimensions**0.5 * 2.0**-62
        grown = 1 + (self.dimensions + 16) * 2.0**-23
        bound = (np.sqrt(found) * grown + lost) ** 2 * (1 + self.direct) + self.eta
        return _host(best).astype(np.int64), bound, bound - found

    def near(self, lot: Columns, value: Floats, begin: int, end: int) -> tuple[Places, Places]:
        """Return the pairs that matter, by bounds on the distance as the head of this file says."""
        product = self._product(lot.columns, self._others(begin, end))
        best = np.maximum(-2 * _host(product.amax(1)), 0)
        error = 1.02 * self.kappa * (lot.norms + self._norms[begin:end].max()) + self.eta
        spread = lot.spread + self._spread[begin:end].max()
        nearest = (np.sqrt(best / (1 - self.result) + error) + spread) ** 2
        limit = np.minimum(value, nearest) * (1 + self.direct)
        limit = (1 + self.result) * ((np.sqrt(limit) + spread) ** 2 + error)
        hits = np.flatnonzero((best <= limit) & (value > 0))
        least = np.nextafter((limit[hits] / -2).astype(np.float32), np.float32(-np.inf))
        least = self.torch.from_numpy(least).to(self.device)
        found = (product[_index(hits, product)] >= least[:, None]).nonzero()
        places, columns = found.cpu().numpy().T
        return hits[places], columns + begin

    def _others(self, begin: int, end: int) -> Any:
        if end <= self.kept:
            return self._held[begin:end]
        rows = self.screen.rows(self._ids[begin:end], self.precision)
        return self._side(self._rows(rows), False)[0]

    def sharper(self) -> NumpyCentres:
        """Return the same centres in numpy's float32."""
        centres = NumpyCentres(self.screen, np.float32, self.capacity)
        centres.add(self.ids)
        return centres


def _host(tensor: Any) -> Any:
    """Return a tensor as float64 numpy, or int64 for whole numbers."""
    array = tensor.cpu()
    return array.numpy() if not tensor.is_floating_point() else array.double().numpy()


def _index(places: Places, like: Any) -> Any:
    import torch

    return torch.from_numpy(places).to(like.device)
