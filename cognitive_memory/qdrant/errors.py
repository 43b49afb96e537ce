"""What can go wrong between here and Qdrant."""

from __future__ import annotations

from dataclasses import dataclass

from heimdall.errors import HeimdallError


@dataclass(eq=False, repr=False)
class QdrantError(HeimdallError):
    """Something between here and Qdrant went wrong; what is in SQLite is untouched.

    Attributes:
        place: the server's address without secrets, or the local directory.
        problem: what went wrong and what to do.
    """

    place: str
    problem: str

    says = "Qdrant at {place}: {problem}"


class QdrantUnreachableError(QdrantError):
    """It does not answer, or not as Qdrant does: another time it may."""


class QdrantMissingError(QdrantError):
    """It has no such collection, or none that a push has prepared."""


class QdrantRefusedError(QdrantError):
    """It answers and refuses: the key is wrong, or may not do this."""


class QdrantOwnerError(QdrantError):
    """Another database has pushed this project's points."""


class QdrantBehindError(QdrantError):
    """It lacks too many of the project's memories to be asked."""
