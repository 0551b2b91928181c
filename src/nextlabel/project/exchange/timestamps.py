"""Times in files: ISO 8601 in UTC."""

from datetime import UTC, datetime


def time_text(seconds: float | None) -> str:
    """Return a time in seconds since 1970 as text; "" for none."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # a clock that is far off
        return ""


def time_of(text: object) -> float | None:
    """Return the seconds since 1970 of a text; None where it is not a time."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
