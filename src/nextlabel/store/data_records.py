"""Data sets in the store: one row for each checksum."""

import json
import zlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from nextlabel.store.records import DataRecord, PartRecord
from nextlabel.store.rows import add_once
from nextlabel.store.schema import DataRow, TrialRow


def keep_data(session: Session, record: DataRecord) -> None:
    """Store a data set unless its checksum is there."""
    if session.get(DataRow, record.checksum) is None:
        add_once(session, _to_row(record))


def read_data(session: Session, trial: TrialRow) -> DataRecord | None:
    """Return the data set of a trial; None when an older nextlabel wrote the trial."""
    checksum = trial.spec.get("data_checksum")
    row = session.scalar(select(DataRow).where(DataRow.checksum == checksum))
    return None if row is None else _to_record(row)


def _to_row(record: DataRecord) -> DataRow:
    pool = {"names": record.names, "labels": record.labels}
    content: dict[str, Any] = {
        "classes": list(record.classes),
        "parts": {
            name: {"images": part.images, "per_class": list(part.per_class)}
            for name, part in record.parts.items()
        },
    }
    packed = zlib.compress(json.dumps(pool, separators=(",", ":")).encode())
    return DataRow(
        checksum=record.checksum, name=record.name, task=record.task, content=content, pool=packed
    )


def _to_record(row: DataRow) -> DataRecord:
    pool = json.loads(zlib.decompress(row.pool))
    names, labels = pool["names"], pool["labels"]
    return DataRecord(
        row.checksum,
        row.name,
        row.task,
        tuple(row.content["classes"]),
        {
            name: PartRecord(part["images"], tuple(part["per_class"]))
            for name, part in row.content["parts"].items()
        },
        None if names is None else tuple(names),
        tuple(tuple(label) if isinstance(label, list) else label for label in labels),
    )
