"""Small image files of every kind, made by the tests: sound ones, odd ones and hostile ones."""

import gzip
import struct
import zlib
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, features

EXTRAS = all(map(find_spec, ("pydicom", "nibabel", "pillow_heif")))
"""True if the packages of the extras `medical` and `photos` are installed."""
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (9, 14), np.uint8)
RGB = RNG.integers(0, 256, (9, 14, 3), np.uint8)
ALPHA = RNG.integers(0, 256, (9, 14), np.uint8)
DEEP = RNG.integers(0, 65536, (9, 14), np.uint16)
DEEP_RGB = RNG.integers(0, 65536, (9, 14, 3), np.uint16)
FLOAT = RNG.normal(size=(9, 14)).astype(np.float32)
STACK = RNG.integers(0, 4096, (5, 9, 14), np.uint16)
CHANNELS = RNG.integers(0, 4096, (2, 3, 4, 9, 14), np.uint16)
"""Axes T, Z, C, Y, X."""


def pillow(image: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, kind, **options)
    return out.getvalue()


def tiff(array: np.ndarray, **options: Any) -> bytes:
    out = BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def deep_png(array: np.ndarray) -> bytes:
    return bytes(imagecodecs.png_encode(array))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(data: bytes, kind: bytes, body: bytes) -> bytes:
    """Return a PNG with one more chunk after its head."""
    return data[:33] + chunk(kind, body) + data[33:]


def animated(kind: str) -> bytes:
    """Return an animation whose first frame is RGB and whose second is its negative."""
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    options = {"lossless": True} if kind == "WEBP" else {}
    return pillow(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = value
    return exif


def plain_tiff(body: bytes, **tags: int) -> bytes:
    """Return a TIFF of one strip, grey, with changes of its tags such as t256=9 for the width."""
    entries = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: len(body)}
    entries |= {int(tag[1:]): value for tag, value in tags.items()}
    lines = b"".join(struct.pack("<HHII", tag, 4, 1, n) for tag, n in sorted(entries.items()))
    ifd = struct.pack("<H", len(entries)) + lines + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(body)) + body + ifd


def cmyk_jpeg(inks: np.ndarray, marked: bool) -> bytes:
    """Return inks (H, W, 4), 255 for none, as a JPEG with or without the mark of Adobe."""
    data = pillow(Image.fromarray(255 - inks, "CMYK"), "JPEG", quality=100, subsampling=0)
    at = data.index(b"\xff\xee")
    assert data[at + 4 : at + 9] == b"Adobe"
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    return data if marked else data[:at] + data[at + 2 + length :]


def tiff_12_bit(values: np.ndarray) -> bytes:
    """Return a TIFF whose values (H, W) are packed into 12 bits each; W is even."""
    pairs = values.astype(np.uint32).reshape(-1, 2)
    packed = (pairs[:, 0] << 12 | pairs[:, 1]).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    height, width = values.shape
    return plain_tiff(packed.tobytes(), t256=width, t257=height, t258=12, t278=height)


def cyclic_tiff(pages: int) -> bytes:
    """Return a TIFF whose last page leads back to its first."""
    page = plain_tiff(b"\0", t256=1, t257=1, t278=1)[9:-4]
    out = bytearray(struct.pack("<2sHI", b"II", 42, 8))
    for number in range(pages):
        out += page + struct.pack("<I", 8 if number == pages - 1 else len(out) + len(page) + 4)
    return bytes(out)


def bomb_png(width: int, height: int, depth: int = 8) -> bytes:
    """Return a PNG whose head announces more than its body holds."""
    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def bomb_jpeg(scans: int) -> bytes:
    """Return a progressive JPEG whose last pass is there many times."""
    data = pillow(RGB, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def bomb_tiff(megabytes: int) -> bytes:
    """Return a TIFF of 8 x 8 pixels whose one strip unpacks to many megabytes."""
    return plain_tiff(zlib.compress(bytes(megabytes * 2**20), 9), t259=8)


def dicom(values: np.ndarray, **elements: Any) -> bytes:
    """Return a DICOM file of (H, W), (frames, H, W) or RGB (H, W, 3), 8 or 16 bit."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    rgb = values.ndim == 3 and values.shape[-1] == 3
    data.Rows, data.Columns = values.shape[-3:-1] if rgb else values.shape[-2:]
    data.SamplesPerPixel = 3 if rgb else 1
    data.PhotometricInterpretation = "RGB" if rgb else "MONOCHROME2"
    if rgb:
        data.PlanarConfiguration = 0
    elif values.ndim == 3:
        data.NumberOfFrames = len(values)
    data.BitsAllocated = data.BitsStored = 8 * values.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(values.dtype.kind == "i")
    data.PixelData = values.tobytes()
    for name, value in elements.items():
        setattr(data, name, value)
    out = BytesIO()
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()


def nifti(values: np.ndarray, packed: bool = False, **header: Any) -> bytes:
    """Return a NIfTI file of (X, Y) or (X, Y, Z)."""
    import nibabel

    image = nibabel.Nifti1Image(values, np.eye(4))
    for name, value in header.items():
        image.header[name] = value
    data = image.to_bytes()
    return gzip.compress(data) if packed else data


def heic(array: np.ndarray, **options: Any) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return pillow(array, "HEIF", quality=95, **options)


def sound() -> dict[str, bytes]:
    """Return one file of each kind that is read without options, by its name."""
    found = {
        "grey.png": pillow(GREY, "PNG"),
        "deep.png": deep_png(DEEP_RGB),
        "alpha.png": pillow(np.dstack([RGB, GREY]), "PNG"),
        "photo.jpg": pillow(RGB, "JPEG"),
        "photo.jfif": pillow(RGB, "JPEG"),
        "photo.jpe": pillow(GREY, "JPEG"),
        "cmyk.jpg": pillow(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
        "old.bmp": pillow(RGB, "BMP"),
        "plain.ppm": pillow(RGB, "PPM"),
        "moving.gif": animated("GIF"),
        "moving.webp": animated("WEBP"),
        "moving.png": animated("PNG"),
        "plain.tif": tiff(RGB, photometric="rgb"),
        "float.tif": tiff(FLOAT),
        "big.btf": tiff(DEEP, bigtiff=True),
        "12bit.tif": tiff_12_bit(STACK[0]),
        "ome.ome.tif": tiff(STACK[0], ome=True),
    }
    if features.check("avif"):
        found["web.avif"] = pillow(RGB, "AVIF")
    if EXTRAS:
        found["scan.dcm"] = dicom(STACK[0], WindowCenter=2000, WindowWidth=3000)
        found["slice.nii.gz"] = nifti(FLOAT, packed=True)
        found["phone.heic"] = heic(RGB)
    return found


def hostile() -> dict[str, bytes]:
    """Return files that must be refused in one line each, by name."""
    extras = {}
    if EXTRAS:
        extras = {
            "short.dcm": dicom(STACK[0])[:-90],
            "short.nii": nifti(FLOAT)[:-90],
            "short.nii.gz": nifti(FLOAT, packed=True)[:-90],
            "short.heic": heic(RGB)[:-90],
            "frames.dcm": dicom(STACK),
            "large.dcm": dicom(STACK[0], Rows=60_000, Columns=60_000),
            "volume.nii": nifti(np.zeros((4, 5, 6), np.float32)),
        }
    return extras | {
        "zero.png": b"",
        "text.png": b"hello",
        "page.jpg": b"<!DOCTYPE html><html></html>",
        "short.png": pillow(RGB, "PNG")[:-60],
        "short.jpg": pillow(RGB, "JPEG")[:400],
        "short.webp": pillow(RGB, "WEBP", lossless=True)[:90],
        "short.gif": pillow(RGB, "GIF")[:300],
        "short.tif": tiff(RGB, photometric="rgb")[:300],
        "bomb.png": bomb_png(60_000, 60_000),
        "deep bomb.png": bomb_png(30_000, 60_000, 16),
        "bomb.bmp": b"BM"
        + struct.pack("<IIIIiiHH", 99, 0, 54, 40, 50_000, 50_000, 1, 24)
        + bytes(24),
        "passes.jpg": bomb_jpeg(2000),
        "bomb.gif": b"GIF89a" + b"\xff\xff\xff\xff" + pillow(RGB, "GIF")[10:],
        "bomb.tif": plain_tiff(bytes(64), t256=2**31 - 1),
        "empty.tif": plain_tiff(b"", t256=0),
        "cycle.tif": cyclic_tiff(3),
        "long cycle.tif": cyclic_tiff(300),
        "pages.tif": tiff(STACK, photometric="minisblack"),
        "channels.tif": tiff(STACK, ome=True, metadata={"axes": "CYX"}),
        "complex.tif": tiff(FLOAT.astype(np.complex64)),
        "nan.tif": tiff(np.full((9, 9), np.nan, np.float32)),
        "scope.czi": b"ZISRAWFILE" + bytes(99),
    }
