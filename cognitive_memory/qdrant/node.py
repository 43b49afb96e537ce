"""One node of a Qdrant, asked by HTTP. What goes wrong is told in our errors.

A recall needs one request. Importing Qdrant's own client takes 1.9 s of a processor's time, which
each command would pay anew; the HTTP library that fetches models takes 0.1 s.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import urllib3

from cognitive_memory.qdrant.errors import (
    QdrantError,
    QdrantMissingError,
    QdrantRefusedError,
    QdrantUnreachableError,
)
from cognitive_memory.qdrant.settings import QdrantSettings
from heimdall.models.errors import SourceError
from heimdall.models.patience import Patience
from heimdall.models.text import shortened
from heimdall.models.transfer.address import Address
from heimdall.models.transfer.failures import translated_errors
from heimdall.models.transfer.http import Answer
from heimdall.models.transfer.proxies import pools_behind, proxy_for

T = TypeVar("T")

_PORT = 6333
_MOST_BYTES = 1 << 30
_FOREIGN = "it does not answer as Qdrant does: correct HEIMDALL_QDRANT_URL"
_NOT_AS_QDRANT = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What reading an answer raises that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """What a node is asked for.

    Attributes:
        method, path: of HTTP; the path begins with a slash.
        read: makes of the answer's result what is wanted.
        body: sent as JSON, if there is one; bytes are JSON already.
        writes: whether something is to be changed.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    body: object = None
    writes: bool = False


class Node:
    """A node and the connections to it, which are kept for the next request. Thread-safe.

    Args:
        settings: with one address; it is not asked for anything yet.

    Raises:
        QdrantUnreachableError: the proxy or the authorities that the environment names can't be
            used.
    """

    def __init__(self, settings: QdrantSettings) -> None:
        (url,) = settings.urls
        address = Address.of(url)
        parts = urlsplit(address.url)
        port = "" if parts.scheme == "https" or parts.port else f":{_PORT}"
        self._settings = settings
        self._base = f"{parts.scheme}://{parts.netloc}{port}{parts.path.rstrip('/')}"
        self._proxy = proxy_for(self._base)
        self._headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        if address.authorization:
            self._headers["Authorization"] = address.authorization
        if settings.api_key:
            self._headers["api-key"] = settings.api_key
        try:
            self._pools = pools_behind(self._proxy, parts.scheme)
        except SourceError as error:
            raise QdrantUnreachableError(settings.place, str(error)) from error

    def close(self) -> None:
        """Close the connections that wait for a request."""
        self._pools.clear()

    def answer(self, request: Request[T]) -> T:
        """What the node says, within the settings' `request_seconds`.

        Raises:
            QdrantMissingError: there is no such collection, or none that a push has prepared.
            QdrantUnreachableError: nothing answers, or something that is not Qdrant.
            QdrantRefusedError: the key is wrong, or may not do this.
            QdrantError: anything else that the server says.
        """
        place = self._settings.place
        try:
            status, content = self._sent(request)
        except SourceError as error:
            reason = str(error).removeprefix(f"{place}: ")
            problem = f"no answer ({reason}): start it, or correct HEIMDALL_QDRANT_URL"
            raise QdrantUnreachableError(place, problem) from error
        if status != 200:
            raise self._complaint(status, content, writes=request.writes)
        try:
            return request.read(json.loads(content)["result"])
        except _NOT_AS_QDRANT as error:
            raise QdrantUnreachableError(place, _FOREIGN) from error

    def _sent(self, request: Request[T]) -> tuple[int, bytes]:
        """The status and body of the answer.

        Raises:
            SourceError: there is none.
        """
        seconds = self._settings.request_seconds
        patience = Patience(seconds)
        body = request.body
        with translated_errors(self._settings.place, self._proxy):
            response = self._pools.request(
                request.method,
                f"{self._base}{request.path}",
                body=body if body is None or isinstance(body, bytes) else json.dumps(body),
                headers=self._headers,
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(patience.left),
            )
        try:
            answer = Answer(self._settings.place, response, seconds, patience)
            return response.status, answer.content(_MOST_BYTES)
        finally:
            response.close()
            response.release_conn()

    def _complaint(self, status: int, content: bytes, *, writes: bool) -> QdrantError:
        """The error for an answer that gives no result."""
        place, code = self._settings.place, f"HTTP {status}"
        if status in {401, 403}:
            refusal = f"{self._refusal(status, writes=writes)} ({code})"
            return QdrantRefusedError(place, f"{refusal}: set HEIMDALL_QDRANT_API_KEY")
        if status in {408, 429, 502, 503, 504}:
            return QdrantUnreachableError(place, f"it has too much to do ({code}): try again later")
        try:
            said = str(json.loads(content)["status"]["error"])
        except _NOT_AS_QDRANT:
            if status < 500:
                return QdrantUnreachableError(place, f"{_FOREIGN} ({code})")
            said = content.decode(errors="replace")
        # There is no order without an index, which a push makes.
        missing = status == 404 or (status == 400 and "No range index" in said)
        return (QdrantMissingError if missing else QdrantError)(
            place, f"{code}: {shortened(said, 300)}"
        )

    def _refusal(self, status: int, *, writes: bool) -> str:
        if self._settings.api_key is None:
            return "no key was sent"
        if status == 401:
            return "the key was refused"
        return "the key may read and not write" if writes else "the key may not read this"
