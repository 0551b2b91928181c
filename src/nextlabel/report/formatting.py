"""Numbers as text."""

from nextlabel.report.columns import Cell, Kind

NONE = "–"


def show(value: Cell, kind: Kind = "text") -> str:
    """Return a table's cell as text; an en dash where there is no value."""
    if value is None or value == "":
        return NONE
    if isinstance(value, str) or kind == "text":
        return str(value)
    if kind == "count":
        return f"{value:,}".replace(",", "\u202f") if value >= 10_000 else f"{value}"
    if kind == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if kind == "plain":
        return f"{value:g}"
    if kind == "labels":
        return f"{value:.0f}"
    if kind == "signed":
        return signed(value)
    if kind == "effect":
        return signed(value, 2)
    if kind == "p":
        return p_value(value)
    return seconds(value) if kind == "seconds" else f"{value:.4f}"


def signed(value: float, digits: int = 4) -> str:
    """Return a difference with its sign; zero, also after rounding, has none."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("+" if value > 0 else "\u2212") + text


def p_value(p: float) -> str:
    """Return a p-value to four decimals, and never as 0."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def seconds(value: float) -> str:
    """Return a length of time in its natural unit."""
    if value < 10:
        return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
