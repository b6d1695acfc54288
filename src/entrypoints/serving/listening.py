"""The listening socket, and as many open files as the connections behind it need."""

import ctypes
import os
import socket
import struct
import sys
from contextlib import suppress

from entrypoints.settings import Settings

BACKLOG = 1024
"""Connections that may wait to be let in; the system may allow fewer."""

_OTHER_FILES = 100
"""Descriptors for the database, mail, and whatever else is no connection."""

_SO_ATTACH_FILTER = 26
"""Linux's; Python does not name it."""

_NO_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
"""A packet filter (classic BPF): load TCP's flags, drop the packet if SYN is among them, pass it otherwise."""


class CannotListen(Exception):
    """The address is taken, or is not this machine's."""


def listen(settings: Settings) -> socket.socket:
    """The socket that connections come in by. Raises `CannotListen`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as trouble:
        raise CannotListen(os.strerror(trouble.errno) if trouble.errno else str(trouble)) from trouble
    # Connections inherit it. asyncio would set it only on sockets that name their protocol, and without it every
    # answer waits 40 ms for the other side's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def ignore_newcomers(listener: socket.socket) -> None:
    """Let nobody begin to connect from here on, in whichever processes the socket is open; who has begun comes in.

    To be called a moment before it is closed, as closing resets whoever was let in by the system after our last look
    into its queue. Newcomers hear nothing, try again after a second, and are refused. Where this is not Linux, that gap
    remains.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _NO_SYN))
    with suppress(OSError):  # a sandbox that knows no filters
        listener.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_NO_SYN), ctypes.addressof(program))
        )


def room_for(connections: int) -> int:
    """As many connections, or as many of them as the system gives this process files for."""
    if sys.platform == "win32":
        return connections
    import resource

    wanted = connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(min(connections, soft - _OTHER_FILES), 1)
