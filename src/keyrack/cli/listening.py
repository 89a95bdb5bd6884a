"""The address that a server listens on, taken before anything else is done: a port in use is told at once."""

import errno
import socket

from keyrack.cli.failures import Failed

BACKLOG = 2048
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on this address; port 0 takes a free one. Raises Failed."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror:
        raise Failed(f"{host!r} is no address: use --host 127.0.0.1 for this machine alone, or 0.0.0.0 for all its networks.") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Failed(_explain(error, host, port)) from None
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL under which somebody on this machine reaches a socket."""
    host, port = listener.getsockname()[:2]
    host = ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program: end that one, or choose another port, like --port {_following(port)}."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}: choose one from 1024 up, like --port 8000."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: use --host 127.0.0.1, or 0.0.0.0 for all its networks."
    return f"{host} port {port} cannot be listened on: {error.strerror}."


def _following(port: int) -> int:
    return port + 1 if port < 65535 else 8000
