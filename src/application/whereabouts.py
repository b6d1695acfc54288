"""What may be told of a fault in code that is not ours."""

import traceback
from pathlib import Path


def whereabouts(fault: BaseException) -> str:
    """Its kind and where it is, for whoever mends it; not its words, which may quote a letter or a secret."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(fault).__name__}{where}"
