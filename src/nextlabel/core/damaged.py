"""What numpy raises for a file that is damaged, cut short or of another kind."""

import tokenize
import zipfile
import zlib

DAMAGED: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
)
"""OSError aside, which says of its own what is wrong."""

UNREADABLE: tuple[type[Exception], ...] = (OSError, *DAMAGED)
"""OSError as well, for those who say it all in one sentence."""
