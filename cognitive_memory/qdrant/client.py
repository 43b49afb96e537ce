"""The client, opened late and speaking in our errors.

Importing this raises `QdrantNotInstalledError` where the extra `qdrant` is not installed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cognitive_memory.qdrant.errors import (
    QdrantError,
    QdrantNotInstalledError,
    QdrantRefusedError,
    QdrantUnreachableError,
)
from cognitive_memory.qdrant.settings import QdrantSettings

try:
    from qdrant_client import QdrantClient, models
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import (
        ApiException,
        ResponseHandlingException,
        UnexpectedResponse,
    )
except ModuleNotFoundError as missing:
    raise QdrantNotInstalledError from missing

__all__ = ["QdrantClient", "is_missing", "models", "open_client", "talking"]


def open_client(settings: QdrantSettings) -> QdrantClient:
    """A client for one node, or for local mode; a server is not asked for anything yet.

    Args:
        settings: with one address at most.

    Raises:
        QdrantError: local mode's directory is in use by another process, or can't be used.
    """
    if settings.urls:
        (url,) = settings.urls
        # The client takes 6333 where no port is named, also where a proxy serves on the scheme's
        # own.
        port = urlsplit(url).port or (443 if url.startswith("https:") else 6333)
        with warnings.catch_warnings():
            # a key without TLS: `QdrantSettings.key_in_the_clear` says so, once
            warnings.simplefilter("ignore", UserWarning)
            return QdrantClient(
                url=url,
                port=port,
                api_key=settings.api_key,
                timeout=settings.request_seconds,
                check_compatibility=False,  # it would ask the server now
            )
    try:
        settings.directory.mkdir(parents=True, exist_ok=True)
        if _in_use(settings.directory):
            raise QdrantError(settings.place, _TAKEN)
        return QdrantClient(path=str(settings.directory))
    except RuntimeError as error:  # taken since we looked
        raise QdrantError(settings.place, _TAKEN) from error
    except OSError as error:
        raise QdrantError(
            settings.place, f"its directory can't be used ({error.strerror or error})"
        ) from error


_TAKEN = "another process has it open, and local mode allows one at a time: close that one, or use a server"


def _in_use(directory: Path) -> bool:
    """Whether another process holds local mode's lock.

    The client itself leaves the file open when it finds that.
    """
    import portalocker  # the client locks with it

    try:
        with (directory / ".lock").open("r+") as file:
            portalocker.lock(
                file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
            )
            portalocker.unlock(file)
    except FileNotFoundError:
        return False
    except portalocker.LockException:
        return True
    return False


_CLIENTS_OWN = (ApiException, QdrantException, ValueError, AssertionError)
"""What the client raises; the last two where an answer is not of Qdrant's kind."""


@contextmanager
def talking(settings: QdrantSettings, *, writes: bool = False) -> Iterator[None]:
    """Turn the client's errors into ours.

    Args:
        settings: of the node that is asked.
        writes: whether it is asked to change something.

    Raises:
        QdrantUnreachableError: nothing answers, or something that is not Qdrant.
        QdrantRefusedError: the key is wrong, or may not do this.
        QdrantError: anything else that the server says.
    """
    try:
        yield
    except _CLIENTS_OWN as error:
        raise _explanation(error, settings, writes=writes) from error


def is_missing(error: Exception) -> bool:
    """Whether an error of the client says that there is no collection, or none that a push has prepared."""
    if isinstance(error, UnexpectedResponse):
        return error.status_code == 404 or (
            error.status_code == 400 and b"order_by" in error.content
        )
    return isinstance(error, ValueError) and str(error).endswith("not found")


def _explanation(error: Exception, settings: QdrantSettings, *, writes: bool) -> QdrantError:
    """Our error for one of the client's."""
    place = settings.place
    if isinstance(error, UnexpectedResponse):
        code = f"HTTP {error.status_code}"
        if error.status_code in {401, 403}:
            what = _refusal(error.status_code, settings, writes=writes)
            return QdrantRefusedError(place, f"{what} ({code}): set HEIMDALL_QDRANT_API_KEY")
        if error.status_code in {429, 502, 503, 504}:
            return QdrantUnreachableError(place, f"{code}: try again later")
        return QdrantError(place, f"{code}: {error.content.decode(errors='replace')[:300]}")
    if isinstance(error, ResponseHandlingException):
        reason = str(error.source) or type(error.source).__name__
        problem = f"no answer ({reason}): start it, or correct HEIMDALL_QDRANT_URL"
        return QdrantUnreachableError(place, problem)
    if isinstance(error, QdrantException):
        return QdrantUnreachableError(place, f"it has too much to do ({error}): try again later")
    if isinstance(error, ApiException):
        return QdrantError(place, str(error))
    # what came is no JSON, or not of Qdrant's kind
    problem = "it does not answer as Qdrant does: correct HEIMDALL_QDRANT_URL"
    return QdrantUnreachableError(place, problem)


def _refusal(status: int, settings: QdrantSettings, *, writes: bool) -> str:
    if settings.api_key is None:
        return "no key was sent"
    if status == 401:
        return "the key was refused"
    return "the key may read and not write" if writes else "the key may not read this"
