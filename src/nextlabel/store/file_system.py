"""The file system of a store: SQLite's write-ahead log needs one that is on this machine."""

from pathlib import Path

from nextlabel.core.errors import StoreError

NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.")
"""Beginnings of the types of mounts that are on another machine, or may be."""

LOCAL = ("fuse.fuse-overlayfs",)
"""Types among them that are on this machine: the layers of a container without root."""


def mount_type(path: Path) -> str:
    """Return the type of the mount that holds a path, such as "ext4"; "" when it is not known."""
    import psutil

    try:
        mounts = {
            Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)
        }
    except OSError:
        return ""
    resolved = path.resolve()
    return next((mounts[p] for p in (resolved, *resolved.parents) if p in mounts), "")


def check_local(path: Path) -> None:
    """Raise StoreError when a path is on a network file system.

    Processes on two machines do not share the memory that the write-ahead log needs, and the locks
    of such file systems may not hold: the file would be damaged.
    """
    file_system = mount_type(path)
    if (f"{file_system}." if file_system == "fuse" else file_system).startswith(
        NETWORK
    ) and file_system not in LOCAL:
        raise StoreError(
            f"{path} is on a network file system ({file_system}), where SQLite may damage it; give "
            "a --store on a disk of this machine, or a server such as postgresql://user@host/name",
            code="store-on-network",
        )
