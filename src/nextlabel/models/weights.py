"""Published weights: found, checked and fitted into a network, or refused by name."""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nextlabel.core.errors import DataError
from nextlabel.files.digest import content_digest, file_digest
from nextlabel.files.download import fetch, user_cache

IMAGENET_URL = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
IMAGENET_SHA256 = "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"
CHECKPOINT_KEYS = ("state_dict", "model_state_dict", "model")
"""Keys under which checkpoints of a training keep the state dict."""
PARALLEL = "module."
"""The prefix that torch's parallel training gives to keys."""


@dataclass(frozen=True, eq=False)
class Weights:
    """A state dict and where it came from, for the record."""

    name: str
    sha256: str
    state: dict[str, Tensor]


def load_weights(
    source: str, cache_dir: Path | None = None, progress: bool = False
) -> Weights | None:
    """Return the weights that `source` names; None for "random".

    Files are read with `weights_only=True`; a state dict inside a checkpoint is taken out of it,
    and the prefix "module." of its keys is left out, with a warning.

    Parameters
    ----------
    source
        "random", "imagenet", a path, or a URL, which may end in "#sha256=…" to be checked.
    cache_dir
        The folder of downloads; the user's by default.
    progress
        Show a bar on stderr.

    Raises
    ------
    DataError
        There is no such file, it cannot be downloaded, its sha256 is another, it is not a state
        dict, or a weight is not finite.
    """
    if source == "random":
        return None
    path = _file(source, cache_dir, progress)
    digest = file_digest(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is not a checkpoint
        raise DataError(
            f"{path.name} is not a state dict of tensors ({type(error).__name__}); "
            "save one with torch.save(model.state_dict(), path)",
            code="not-a-state-dict",
        ) from error
    state = _unwrapped(state, path.name)
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError(
            f"{path.name} holds no state dict; save model.state_dict() alone",
            code="not-a-state-dict",
        )
    check_finite(state, path.name)
    label = "imagenet" if source == "imagenet" else path.name
    return Weights(f"{label} sha256:{digest[:16]}", digest, state)


def check_finite(state: Mapping[str, Tensor], name: str) -> None:
    """Raise DataError for the first weight of the network `name` that is NaN or infinite."""
    for key, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DataError(
                f"{name}: {key!r} holds NaN or infinity; save the weights of a training that "
                "did not fail",
                code="weights-not-finite",
            )


def state_digest(state: Mapping[str, Tensor]) -> str:
    """Return the sha256 of a state dict: names, types, shapes and values, in the order of names."""
    digest = hashlib.sha256()
    for key in sorted(state):
        tensor = state[key].detach().cpu().contiguous()
        digest.update(f"{key}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def weights_digest(source: str) -> str:
    """Return the sha256 of the file that `source` names, downloaded where it is a URL.

    Raises DataError as `load_weights` does when there is no file.
    """
    return file_digest(_file(source, None, False))


def _file(source: str, cache_dir: Path | None, progress: bool) -> Path:
    path = _download(source, cache_dir, progress) if _remote(source) else Path(source)
    if not path.is_file():
        others = ", or leave weights out" if source == "random" else ', "imagenet" or "random"'
        raise DataError(
            f"no weights at {source}; give a path, a URL{others}",
            code="no-weights-file",
        )
    return path


def _unwrapped(state: Any, name: str) -> Any:
    """Return the state dict in a checkpoint, without the prefix of parallel training; say so."""
    said = []
    for key in CHECKPOINT_KEYS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state, said = state[key], [f"its {key!r}"]
            break
    if isinstance(state, dict) and state and all(str(k).startswith(PARALLEL) for k in state):
        state = {key.removeprefix(PARALLEL): tensor for key, tensor in state.items()}
        said.append(f"keys without their prefix {PARALLEL!r}")
    if said:
        warnings.warn(f"weights {name}: {' and '.join(said)} used", stacklevel=3)
    return state


def _remote(source: str) -> bool:
    return source == "imagenet" or source.startswith(("http://", "https://"))


def _download(source: str, cache_dir: Path | None, progress: bool) -> Path:
    url, _, sha256 = source.partition("#sha256=")
    if source == "imagenet":
        url, sha256 = IMAGENET_URL, IMAGENET_SHA256
    folder = cache_dir or user_cache("weights")
    if not sha256:  # another URL may end in the same name
        folder /= content_digest(url.encode())[:16]
    path = folder / url.rsplit("/", 1)[-1]
    remedy = 'download the file yourself and give its path, or set weights = "random"'
    published = f"sha256:{sha256}" if sha256 else None
    fetch([url], path, published, remedy=remedy, progress=progress)
    return path


def insert(network: nn.Module, weights: Weights, head: str | None = None) -> None:
    """Copy weights into a network; another number of classes keeps the network's own last layer.

    Parameters
    ----------
    network
        The network, changed in place.
    weights
        Its weights, by the names of its state dict.
    head
        The name of the last layer, which may then be missing on either side.

    Raises
    ------
    DataError
        A key is missing, unknown or of another shape; the message names the first.
    """

    def body(state: Mapping[str, Any]) -> dict[str, Any]:
        """Return a state without the head."""
        return {k: v for k, v in state.items() if head is None or not k.startswith(f"{head}.")}

    expected, given = body(network.state_dict()), body(weights.state)
    own_head = "fc.weight" in given and "fc.weight" in expected
    if own_head and given["fc.weight"].shape != expected["fc.weight"].shape:
        given["fc.weight"], given["fc.bias"] = expected["fc.weight"], expected["fc.bias"]
    for name in expected:
        if name.endswith("num_batches_tracked"):
            given.setdefault(name, expected[name])
    for name, tensor in expected.items():
        if name not in given:
            raise DataError(
                f"weights {weights.name} lack {name!r}; they are of another network",
                code="weights-of-another-network",
            )
        if given[name].shape != tensor.shape:
            raise DataError(
                f"weights {weights.name}: {name!r} has shape {tuple(given[name].shape)}, the "
                f"network needs {tuple(tensor.shape)}; check model.name and model.stem",
                code="weights-of-another-network",
            )
    for name in given:
        if name not in expected:
            raise DataError(
                f"weights {weights.name} have {name!r}, which the network does not; give "
                "weights of the same network",
                code="weights-of-another-network",
            )
    network.load_state_dict(given, strict=head is None)
