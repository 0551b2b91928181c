"""Versions of the packages that decode images: other versions may give other pixels."""

from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("pillow", "tifffile", "imagecodecs", "pydicom", "nibabel", "pillow-heif")


def decoder_versions() -> dict[str, str]:
    """Return the version of each decoder that is installed."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
