"""Kinds of image files that no format reads, and what helps for each."""

from collections.abc import Mapping

_SCOPE = "export it as OME-TIFF"
_PHOTO = "export it as JPEG or TIFF"
_PLAIN = "export it as PNG"
_SUFFIXES: Mapping[str, tuple[str, str]] = {
    ".czi": ("Zeiss CZI", _SCOPE),
    ".nd2": ("Nikon ND2", _SCOPE),
    ".lif": ("Leica LIF", _SCOPE),
    ".oib .oif .oir .vsi": ("Olympus", _SCOPE),
    ".ims": ("Imaris", _SCOPE),
    ".mrxs": ("MIRAX", _SCOPE),
    ".cr2 .cr3 .nef .arw .dng .raf .orf .rw2 .pef .srw": ("camera raw", _PHOTO),
    ".svg .svgz .eps .ai": ("vector graphics", _PLAIN),
    ".psd .psb .xcf .kra": ("a layered picture", _PLAIN),
    ".mp4 .mov .avi .mkv .webm .m4v": ("video", "save its frames as PNG"),
    ".jp2 .j2k .jpx .jxl .exr .hdr .fits .fit .nrrd .mha .mhd .mrc .pcx .tga .ico": (
        "this kind of image",
        "export it as PNG or TIFF",
    ),
}
_HEADS: Mapping[bytes, str] = {
    b"ZISRAWFILE": ".czi",
    b"\xda\xce\xbe\x0a": ".nd2",
    b"\x70\0\0\0": ".lif",
    b"8BPS": ".psd",
    b"\0\0\0\x0cjP  ": ".jp2",
}
_REASONS: Mapping[str, str] = {
    suffix: f"{label} is not read; {remedy}"
    for suffixes, (label, remedy) in _SUFFIXES.items()
    for suffix in suffixes.split()
}


def reason_by_suffix(suffix: str) -> str | None:
    """Return why a file of this suffix is not read; None for a suffix that is not in the list."""
    return _REASONS.get(suffix)


def reason_by_head(head: bytes) -> str | None:
    """Return why a file that starts like this is not read; None when the kind is not known."""
    kinds = (suffix for start, suffix in _HEADS.items() if head.startswith(start))
    return next((_REASONS[suffix] for suffix in kinds), None)
