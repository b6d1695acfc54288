"""Where tests put their files: in memory where there is room, as nobody reads them afterwards.

Every commit of a database waits for its disk, which most of the time says nothing about what is tested.
"""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH = 2 << 30
"""Bytes; a whole run needs some hundred million, and a browser more."""


def in_memory() -> None:
    """From now on, here and in processes started from here; not where somebody has said where, by `TMPDIR`."""
    if "TMPDIR" in os.environ or not _fits():
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def _fits() -> bool:
    if not os.access(_MEMORY, os.W_OK) or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(_MEMORY).free >= _ENOUGH
