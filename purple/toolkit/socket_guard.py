"""A guard at the socket for tools in Python that load code of ours: they connect to the checked address or not at all.

Source: the audit events of PEP 578, https://docs.python.org/3/library/audit_events.html; a hook cannot be taken out.
"""

from purple.domain.tools import ToolTarget

_GUARD = '''"""Refuses every connection but the one to the target, and every look-up of a name."""

import sys

TARGET = {address!r}
PORT = {port}


def guard(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        where = arguments[1]
        if isinstance(where, tuple) and tuple(where[:2]) != (TARGET, PORT):
            raise PermissionError(f"{{where[0]}} port {{where[1]}} is out of scope")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        if host not in (TARGET, None):
            raise PermissionError(f"{{host}} is out of scope")


sys.addaudithook(guard)
'''


def socket_guard(target: ToolTarget, port: int) -> str:
    """A Python module that holds the process which loads it to the target's checked address and a port."""
    return _GUARD.format(address=target.address, port=port)
