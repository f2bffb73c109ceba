"""The container healthcheck: exit 0 if, and only if, an HTTP target answers 200 within 2 s.

It runs every second or two in every container, so it uses bare sockets and nothing of the
package: ``python3 -I -S probe.py TARGET`` needs no site-packages and starts in about 20 ms.
A target is ``http://HOST:PORT/PATH`` or ``unix:/path/to.sock:/PATH`` (split at the last colon).
"""

import socket
import sys
import time

TIMEOUT_SECONDS = 2.0
EX_USAGE = 64


class TargetError(Exception):
    """The target is not written as it must be."""


def parse(target):  # type: ignore[no-untyped-def]  # typing costs 10 ms of import
    """Return (address, path); the address is a (host, port) pair or a socket's path.

    Raises:
        TargetError: the target is neither of the two forms.
    """
    if target.startswith("unix:"):
        sock, colon, path = target[len("unix:") :].rpartition(":")
        if not colon or not sock.startswith("/") or not path.startswith("/"):
            raise TargetError(f"{target!r}: expected unix:/path/to.sock:/PATH")
        return sock, path
    if target.startswith("http://"):
        authority, slash, path = target[len("http://") :].partition("/")
        host, _, port = authority.rpartition(":")
        host = host.strip("[]")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise TargetError(f"{target!r}: expected http://HOST:PORT/PATH, PORT in 1-65535")
        return (host, int(port)), slash + path or "/"
    raise TargetError(f"{target!r}: expected http://HOST:PORT/PATH or unix:/path/to.sock:/PATH")


def probe(target):  # type: ignore[no-untyped-def]
    """Return the reason why the target is not healthy, or an empty string if it is.

    Raises:
        TargetError: the target is malformed.
    """
    address, path = parse(target)  # type: ignore[no-untyped-call]
    deadline = time.monotonic() + TIMEOUT_SECONDS
    try:
        if isinstance(address, str):
            conn = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            conn.settimeout(TIMEOUT_SECONDS)
            conn.connect(address)
            host = "localhost"
        else:
            conn = socket.create_connection(address, TIMEOUT_SECONDS)
            host = f"[{address[0]}]" if ":" in address[0] else address[0]
    except OSError as error:
        return f"cannot connect: {error.strerror or error}"
    with conn:
        try:
            request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            conn.sendall(request.encode("ascii", "replace"))
            line = b""
            while b"\n" not in line and len(line) < 4096:
                left = deadline - time.monotonic()
                if left <= 0:
                    return f"no answer within {TIMEOUT_SECONDS:g} s"
                conn.settimeout(left)
                chunk = conn.recv(4096)
                if not chunk:
                    break
                line += chunk
        except TimeoutError:
            return f"no answer within {TIMEOUT_SECONDS:g} s"
        except OSError as error:
            return f"the connection failed: {error.strerror or error}"
    words = line.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):
        return "the answer is not HTTP"
    if words[1] != b"200":
        return f"HTTP {words[1].decode('ascii', 'replace')}"
    return ""


def add_arguments(parser):  # type: ignore[no-untyped-def]
    """Declare the arguments of ``agentcore probe``."""
    parser.add_argument("target", metavar="TARGET", help="http://HOST:PORT/PATH or unix:SOCK:/PATH")


def run(args):  # type: ignore[no-untyped-def]
    """Run ``agentcore probe`` and return its exit status."""
    return main([args.target])  # type: ignore[no-untyped-call]


def main(argv):  # type: ignore[no-untyped-def]
    """Probe one target; print the reason if it is not healthy. Return 0, 1, or 64."""
    if len(argv) != 1:
        print("usage: probe.py TARGET", file=sys.stderr)
        return EX_USAGE
    try:
        reason = probe(argv[0])  # type: ignore[no-untyped-call]
    except TargetError as error:
        print(f"probe: {error}", file=sys.stderr)
        return EX_USAGE
    if reason:
        print(f"probe: {argv[0]}: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))  # type: ignore[no-untyped-call]
