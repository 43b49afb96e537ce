"""Connections with one limit for each step: a host's name, all its addresses, a proxy's answer and TLS; an answer's head.

The HTTP library's time-outs are for one read of a socket. A host with many addresses, a server that drips, and
`getaddrinfo`, which knows no time-out, go past them.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

_Result = TypeVar("_Result")
_SLACK = 1.1
"""A silent server is left to the time-out per read, which tells more; the cut is for those that drip."""


def within(seconds: float, function: Callable[..., _Result], *arguments: object) -> _Result:
    """What a function returns that knows no time-out of its own.

    When the time is over it goes on in a thread that nobody waits for.

    Raises:
        TimeoutError: when the time is over.
    """
    future: concurrent.futures.Future[_Result] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:  # noqa: BLE001 (it is raised where the result is asked for)
            future.set_exception(error)

    _as_daemon(threading.Thread(target=run, name="heimdall-connect")).start()
    try:
        return future.result(seconds)
    except concurrent.futures.TimeoutError:  # another class than `TimeoutError` before Python 3.11
        future.add_done_callback(_close)
        raise TimeoutError from None


def _close(late: concurrent.futures.Future[_Result]) -> None:
    if not late.exception() and isinstance(late.result(), socket.socket):
        late.result().close()  # type: ignore[attr-defined]  # a socket


def _as_daemon(thread: threading.Thread) -> threading.Thread:
    with contextlib.suppress(RuntimeError):  # a subinterpreter waits for all of its threads
        thread.daemon = True
    return thread


class _Cut:
    """Shuts a socket down when the block takes longer than it may."""

    def __init__(self, seconds: float) -> None:
        self.socket: socket.socket | None = None
        self.expired = threading.Event()
        self._timer = threading.Timer(seconds, self._cut)

    def __enter__(self) -> _Cut:  # noqa: PYI034 (Python 3.10 has no `Self`)
        _as_daemon(self._timer).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.expired.set()
        if self.socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Limited(HTTPConnection):
    """A connection that is made within its time-out, and whose answers' heads come within it.

    Attributes:
        answering: the socket of the answer that was asked for last.
    """

    answering: socket.socket | None = None
    _wire: socket.socket | None = None

    def connect(self) -> None:
        """Connect, through a proxy and with TLS as it is set up."""
        seconds = self.timeout or 0.0
        with _Cut(_SLACK * seconds) as cut:
            self._cut = cut
            try:
                super().connect()
            except ConnectTimeoutError:
                raise
            except Exception as error:
                if cut.expired.is_set() or isinstance(error, TimeoutError):
                    told = f"timed out: no connection within {seconds:.3g} s"
                    raise ConnectTimeoutError(self, told) from error
                raise
            finally:
                cut.socket = None
                if self._wire is not None:
                    self._wire.close()

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        # TLS takes the socket over; another handle of the same connection can cut it at any moment.
        self._wire = self._cut.socket = sock.dup()
        return sock

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself
        """The answer, without its body."""
        seconds = _SLACK * (self.timeout or 0.0)
        with _Cut(seconds) as cut:
            self.answering = cut.socket = self.sock
            try:
                response = super().getresponse()
                if cut.expired.is_set():  # a head that was cut looks complete to the parser
                    response.close()
                    raise ConnectionError  # noqa: TRY301 (told in its place, as any error of a cut head)
            except Exception:  # the parser may raise anything of a head that was cut
                if cut.expired.is_set():
                    told = f"timed out: no complete answer head within {seconds:.3g} s"
                    raise TimeoutError(told) from None
                raise
        return response


class _Direct(HTTPConnection):
    """A connection that finds its host itself."""

    def _new_conn(self) -> socket.socket:
        seconds = self.timeout or 0.0
        deadline = time.monotonic() + seconds
        try:
            addresses = within(
                seconds, socket.getaddrinfo, self._dns_host, self.port, 0, socket.SOCK_STREAM
            )
        except TimeoutError as error:
            told = f"the host name was not resolved within {seconds:.3g} s"
            raise ConnectTimeoutError(self, told) from error
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        try:
            return _connected(addresses, deadline, self.socket_options or ())
        except TimeoutError as error:
            told = f"timed out: no connection within {seconds:.3g} s"
            raise ConnectTimeoutError(self, told) from error
        except OSError as error:
            raise NewConnectionError(self, error.strerror or str(error)) from error


def _connected(
    addresses: list[tuple[Any, ...]], deadline: float, options: Iterable[tuple[Any, ...]]
) -> socket.socket:
    """A connection to the first of the addresses that takes one, each kind of address in turn.

    An address that swallows packets leaves half of the time to the others: where IPv6 leads nowhere, the second one
    is of IPv4.

    Raises:
        OSError: what happened at the last one.
    """
    failure: OSError = OSError("the host has no address")
    for number, (family, kind, protocol, _, address) in enumerate(_in_turn(addresses), 1):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(left if number == len(addresses) else left / 2)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _in_turn(addresses: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The addresses as they are sorted, but for those of the same family one after the other."""
    families: dict[int, list[tuple[Any, ...]]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    rounds = itertools.zip_longest(*families.values())
    return [address for one in rounds for address in one if address is not None]


class _Http(Limited, _Direct):
    pass


class _Https(Limited, _Direct, HTTPSConnection):
    pass


def limited(
    pools: urllib3.PoolManager,
    http: type[HTTPConnection] = _Http,
    https: type[HTTPSConnection] = _Https,
) -> urllib3.PoolManager:
    """The same pools, which make connections of this module's from now on."""

    class HttpPool(urllib3.HTTPConnectionPool):
        ConnectionCls = http

    class HttpsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = https

    pools.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}
    return pools


def limited_socks(pools: urllib3.PoolManager) -> urllib3.PoolManager:
    """As `limited`, for pools behind a SOCKS proxy. Needs PySocks."""
    from urllib3.contrib.socks import SOCKSConnection

    class Socks(SOCKSConnection):
        """The proxy's name is resolved by the same call that connects."""

        def _new_conn(self) -> Any:
            seconds = self.timeout or 0.0
            try:
                return within(seconds, super()._new_conn)
            except TimeoutError as error:
                told = f"timed out: no connection within {seconds:.3g} s"
                raise ConnectTimeoutError(self, told) from error

    class SocksHttp(Limited, Socks):
        pass

    class SocksHttps(Limited, Socks, HTTPSConnection):
        pass

    return limited(pools, SocksHttp, SocksHttps)
