"""Lets a Python process's time pass as fast as a test wants: seconds in the file `CLOCK_AHEAD` are added to the clock.

Python imports a module of this name at its start wherever it finds one, so the program itself stays as it is.
"""

import os
import time
from pathlib import Path

_ahead = Path(os.environ["CLOCK_AHEAD"])
_monotonic = time.monotonic


def monotonic() -> float:
    """Stands for `time.monotonic`."""
    return _monotonic() + float(_ahead.read_text())


time.monotonic = monotonic
