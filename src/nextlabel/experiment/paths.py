"""Paths in an experiment file: relative to the file, else to the working directory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from nextlabel.data.registry import settings_class
from nextlabel.features.block_creation import has_file_suffix


def resolve_data_paths(raw: dict[str, Any], file: Path) -> None:
    """Replace the relative paths of `[data]` that exist next to an experiment file.

    `raw` are the plain values of `file`. All other paths stay relative to the working directory.
    """
    data = raw.get("data")
    if isinstance(data, dict):
        for key, field in settings_class(data.get("name")).model_fields.items():
            if key in data and Path in (field.annotation, *get_args(field.annotation)):
                data[key] = _located(data[key], file)


def resolve_feature_files(raw: dict[str, Any], file: Path) -> None:
    """Replace the relative paths of feature files and weights that exist next to the file."""

    def located(name: object) -> Any:
        return _located(name, file) if isinstance(name, str) and has_file_suffix(name) else name

    listed = raw.get("arms")
    arms = listed if isinstance(listed, list) else []
    for arm in arms:
        for space in ("features", "side"):
            _rename(arm, space, located)
    _rename(raw, "blocks", located)
    models = [arm.get("model") for arm in arms if isinstance(arm, dict)]
    for model in (raw.get("model"), *models):
        _rename(model, "blocks", located)
        if isinstance(model, dict):
            model.update({k: located(v) for k, v in model.items() if k == "block"})
            model.update({k: _located(v, file) for k, v in model.items() if k == "weights"})


def _rename(table: object, key: str, located: Callable[[object], Any]) -> None:
    if isinstance(table, dict) and isinstance(table.get(key), dict):
        table[key] = {located(name): value for name, value in table[key].items()}


def _located(name: Any, file: Path) -> Any:
    """Return a relative path as one next to the file, where something is there."""
    if not isinstance(name, str) or not name or Path(name).is_absolute():
        return name
    here = file.parent.resolve() == Path.cwd()
    return name if here or not (file.parent / name).exists() else str(file.parent / name)
