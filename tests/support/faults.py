"""What goes wrong with a server's answers, on demand: rules by host, path and turn, each with effects.

An effect is given a request and the application that would answer it, and answers in its place. A new kind of fault is a
new effect: neither the listener nor the hosts know of any.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from release.github_standin.messages import (
    Application,
    Body,
    HangUp,
    Request,
    Response,
    bytes_body,
    slowed,
)
from release.github_standin.standin import GitHubStandIn, not_found
from tests.support.request_log import KeptLog


class Effect:
    """Changes nothing; the base of those that do."""

    def answer(self, request: Request, application: Application) -> Response:
        """The response that is sent."""
        return application(request)


class IgnoreRange(Effect):
    """Answer as a server that knows no ranges: a 200 with everything."""

    def answer(self, request: Request, application: Application) -> Response:
        return application(without(request, "range", "if-range"))


@dataclass(frozen=True)
class Unheard(Effect):
    """Do nothing of what was asked; the answer is an empty 503, unless another effect makes it a different one."""

    def answer(self, request: Request, application: Application) -> Response:  # noqa: ARG002
        return Response(503)


@dataclass(frozen=True)
class CutUpload(Effect):
    """Hear this many bytes of the request's body, then close the connection."""

    size: int

    def answer(self, request: Request, application: Application) -> Response:
        application(replace(request, body=request.body[: self.size]))
        raise HangUp


@dataclass(frozen=True)
class Instead(Effect):
    """Answer this, whatever was asked, and whatever it led to.

    Attributes:
        status: the HTTP status.
        body: the content, bytes or any `Body`.
        headers: all of the headers, but `Content-Length`, which comes from the body unless it is named.
    """

    status: int
    body: bytes | Body = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self, request: Request, application: Application) -> Response:
        application(request)
        body = bytes_body(self.body) if isinstance(self.body, bytes) else self.body
        return Response(self.status, self.headers, body)


@dataclass(frozen=True)
class WrongBytes(Effect):
    """Right headers and size, but the byte at position `at` of the body has all its bits turned over."""

    at: int = 0

    def answer(self, request: Request, application: Application) -> Response:
        response = application(request)
        body = response.body
        altered = Body(lambda: _altered(body.chunks(), self.at), body.length)
        return replace(response, body=altered)


@dataclass(frozen=True)
class Delay(Effect):
    """Wait this many seconds before the first byte of the answer."""

    seconds: float

    def answer(self, request: Request, application: Application) -> Response:
        response = application(request)
        request.pause(self.seconds)
        return response


@dataclass(frozen=True)
class Drip(Effect):
    """Send the body at this many bytes per second at most."""

    bytes_per_second: float

    def answer(self, request: Request, application: Application) -> Response:
        response = application(request)
        return replace(response, body=slowed(response.body, self.bytes_per_second, request.pause))


@dataclass(frozen=True)
class HoldAfter(Effect):
    """Send this many bytes of the body, and the others not before `go` is set: whoever asks can't finish until then."""

    size: int
    go: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request, application: Application) -> Response:
        response = application(request)
        body = response.body
        return replace(
            response, body=Body(lambda: self._held(body.chunks(), request.pause), body.length)
        )

    def _held(self, chunks: Iterator[bytes], pause: Callable[[float], object]) -> Iterator[bytes]:
        left = self.size
        for chunk in chunks:
            yield chunk[:left]
            if len(chunk) > left:
                while not self.go.is_set():
                    pause(0.01)
                yield chunk[left:]
            left = max(0, left - len(chunk))


@dataclass(frozen=True)
class CutAfter(Effect):
    """Close the connection after this many bytes of the body, with a TCP reset if `reset`."""

    size: int
    reset: bool = False

    def answer(self, request: Request, application: Application) -> Response:
        response = application(request)
        body = response.body
        cut = Body(lambda: _cut(body.chunks(), self.size, reset=self.reset), body.length)
        return replace(response, body=cut)


@dataclass(frozen=True)
class Drop(Effect):
    """Close the connection instead of answering, with a TCP reset if `reset`."""

    reset: bool = False

    def answer(self, request: Request, application: Application) -> Response:
        application(request)
        raise HangUp(reset=self.reset)


class Fault:
    """A rule, for example `Fault(Drip(1000), CutAfter(5000), host="assets", turns={1})`.

    Args:
        effects: what happens to a request that the rule matches; each one sees the answer of those before it.
        host: the name of the host (`web`, `assets`, …), with `*` and `?` as in a shell.
        path: the percent-decoded path, likewise.
        methods: the methods that match.
        turns: which of the requests that match, counted from 1, for example `{1, 3}` or `range(2, 5)`; None is all.
    """

    def __init__(
        self,
        *effects: Effect,
        host: str = "*",
        path: str = "*",
        methods: Container[str] = ("GET",),
        turns: Container[int] | None = None,
    ) -> None:
        self.effects = effects
        self.host = host
        self.path = path
        self.methods = methods
        self.turns = turns

    def matches(self, host: str, request: Request) -> bool:
        """Whether the rule is about this request, whatever its turn."""
        return (
            request.method in self.methods
            and fnmatchcase(host, self.host)
            and fnmatchcase(request.path, self.path)
        )


class Faults:
    """The rules of a server, which may be changed while it runs. All rules that match apply, in their order."""

    def __init__(self, rules: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._rules = [_Counted(rule) for rule in rules]

    def add(self, rule: Fault) -> None:
        """Put one more rule at the end."""
        with self._lock:
            self._rules.append(_Counted(rule))

    def clear(self) -> None:
        """Behave well from now on."""
        with self._lock:
            self._rules.clear()

    def around(self, host: str, application: Application) -> Application:
        """The application of a host of that name, with everything that goes wrong with it."""

        def answer(request: Request) -> Response:
            faulty = application
            for effect in self._effects(host, request):
                faulty = partial(effect.answer, application=faulty)
            return faulty(request)

        return answer

    def _effects(self, host: str, request: Request) -> list[Effect]:
        with self._lock:
            return [
                effect
                for rule in self._rules
                if rule.strikes(host, request)
                for effect in rule.fault.effects
            ]


class _Counted:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._seen = 0

    def strikes(self, host: str, request: Request) -> bool:
        if not self.fault.matches(host, request):
            return False
        self._seen += 1
        return self.fault.turns is None or self._seen in self.fault.turns


class FaultyGitHub(GitHubStandIn):
    """The stand-in with what tests alone need: faults, other answers, private repositories.

    Args:
        repository: `owner/name`.
        faults: what goes wrong at first.
        token: makes the repository private: who asks has to send it. GitHub doesn't tell that such a one exists.
        log_stream: gets a line of JSON for each answer.
        options: those of `GitHubStandIn`.

    Attributes:
        faults: may be added to and cleared.
        routes: what answers below other paths of the web host, by prefix; may be added to.
        requests: the log of both hosts.
    """

    def __init__(
        self,
        directory: Path,
        *,
        repository: str,
        faults: Iterable[Fault] = (),
        token: str | None = None,
        log_stream: TextIO | None = None,
        **options: Any,
    ) -> None:
        self.faults = Faults(faults)
        self.routes: dict[str, Application] = {}
        self.requests = KeptLog(log_stream)
        self._token = token
        self._downloads = f"{repository}/releases/download"
        options |= {"repository": repository, "log": self.requests}
        super().__init__(directory, around=self._around, **options)

    def download_url(self, tag: str, asset: str) -> str:
        """The URL that users ask for."""
        return f"{self.url}/{self._downloads}/{tag}/{asset}"

    def _around(self, host: str, application: Application) -> Application:
        def routed(request: Request) -> Response:
            for prefix, other in self.routes.items():
                if request.path.startswith(prefix):
                    return other(request)
            return application(request) if self._may_see(request) else not_found()

        return self.faults.around(host, routed if host == "web" else application)

    def _may_see(self, request: Request) -> bool:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        return self._token is None or (
            scheme.lower() in {"bearer", "token"} and credentials.strip() == self._token
        )


def without(request: Request, *names: str) -> Request:
    """The same request without the headers of these lower-case names."""
    headers = {name: value for name, value in request.headers.items() if name not in names}
    return replace(request, headers=headers)


def _altered(chunks: Iterator[bytes], at: int) -> Iterator[bytes]:
    start = 0
    for chunk in chunks:
        inside = at - start
        start += len(chunk)
        if 0 <= inside < len(chunk):
            yield chunk[:inside] + bytes([chunk[inside] ^ 0xFF]) + chunk[inside + 1 :]
        else:
            yield chunk


def _cut(chunks: Iterator[bytes], size: int, *, reset: bool) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) > size:
            yield chunk[:size]
            raise HangUp(reset=reset)
        size -= len(chunk)
        yield chunk
