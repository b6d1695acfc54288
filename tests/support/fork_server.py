"""A process that has imported all of Ostiary and done nothing else; each `ostiary …` that is asked for is a fork of it.

Started by `tests.support.processes`, which writes to the socket whose number is the argument: a command, and the
descriptors for its standard streams and for word of how it fares. It ends when the socket is shut.
"""

import gc
import json
import os
import pkgutil
import random
import signal
import socket
import sys
from importlib import import_module

_PACKAGES = ("domain", "application", "adapters", "entrypoints")
_ALEMBICS_OWN = "adapters.sql.migrations.env"
"""Not to be imported by anybody else."""

_MOST = 1 << 17
"""Bytes in a request."""


def main() -> int:
    """Returns in the forks, with what `ostiary` is to end with; in this process when nobody asks any more."""
    for package in map(import_module, _PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name != _ALEMBICS_OWN:
                import_module(module.name)
    gc.freeze()  # shared with the forks for as long as possible
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who watch over the forks
    requests = socket.socket(fileno=int(sys.argv[1]))
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _MOST, 4)
        if not request or os.fork() == 0:
            break
        for descriptor in descriptors:
            os.close(descriptor)
    requests.close()
    if not request:
        return 0
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if child := os.fork():
        _watch_over(child, descriptors)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return _become(json.loads(request), descriptors)


def _watch_over(child: int, descriptors: list[int]) -> None:
    """Say which process it is, and with what status it ended."""
    *streams, word = descriptors
    for stream in streams:
        os.close(stream)
    try:
        os.write(word, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(word, b"%d\n" % os.waitstatus_to_exitcode(status))
    finally:
        os._exit(0)


def _become(command: dict[str, object], descriptors: list[int]) -> int:
    """Be `ostiary` as if it had just been started."""
    for number, stream in enumerate(descriptors[:3]):
        os.dup2(stream, number)
    os.closerange(3, max(descriptors) + 1)
    os.umask(int(str(command["umask"])))
    os.chdir(str(command["folder"]))
    os.environ.clear()
    os.environ.update(dict(command["environ"]))  # type: ignore[call-overload]
    random.seed()
    sys.argv = list(map(str, command["arguments"]))  # type: ignore[call-overload]
    del sys.path[0]  # where this file lies
    from entrypoints.cli.main import main as ostiary

    return int(ostiary() or 0)


if __name__ == "__main__":
    sys.exit(main())
