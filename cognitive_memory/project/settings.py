"""The settings of a project: their names, defaults, checks and descriptions, each in one place.

The reader (`config.py`) checks a file against these classes, and the template is made from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

Check = Callable[[object], object]
"""Takes what YAML gave, returns the setting's value; raises ValueError with what was expected."""


def checked(check: Check, comment: str) -> dict[str, object]:
    """A setting's metadata: how it is checked, and what the template says of it."""
    return {"check": check, "comment": comment}


def grouped(kind: type, comment: str) -> dict[str, object]:
    """The metadata of a section: the class of its settings, and what the template says of it."""
    return {"section": kind, "comment": comment}


def patterns(value: object) -> tuple[str, ...]:
    """A list of texts; one alone is taken as a list of one."""
    values = [value] if isinstance(value, str) else value
    if isinstance(values, list) and all(isinstance(item, str) and item.strip() for item in values):
        return tuple(values)
    raise ValueError('a list of patterns, for example ["docs/", "*.md"]')


def uuid(value: object) -> str:
    """A UUID, in lower case with hyphens."""
    try:
        return str(UUID(value))  # type: ignore[arg-type]  # whatever it is
    except (ValueError, TypeError, AttributeError):
        raise ValueError("a UUID, as 'heimdall project init' writes it") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """Which files are loaded.

    Attributes:
        include: only files that match one of these patterns; none: all.
        exclude: not those that match one of these.
    """

    include: tuple[str, ...] = field(
        default=(), metadata=checked(patterns, "Only files that match one of these, as in .gitignore; [] means all.")
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=checked(patterns, "Files to leave out, as in .gitignore, besides those that git ignores."),
    )


def address(value: object) -> str | None:
    """The address of a Qdrant server, "local", or nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and (value == "local" or value.startswith(("http://", "https://"))):
        return value
    raise ValueError('"local", or the address of a server, for example "https://qdrant.example.org:6333"')


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorEngineSettings:
    """Where vectors are searched when one machine is not enough.

    Attributes:
        url: a Qdrant server's address, or "local" for the client's own local mode; None: on this machine, without Qdrant.
    """

    url: str | None = field(
        default=None,
        metadata=checked(
            address,
            'A server\'s address, or "local"; null means that vectors are searched on this machine. '
            "HEIMDALL_QDRANT_URL wins over it; a key is taken from HEIMDALL_QDRANT_API_KEY alone.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConfig:
    """A project's settings.

    Attributes:
        project_id: which project this is, for what its clones and copies share; None: the database has one of its own.
        ingest: which files are loaded.
        qdrant: where vectors are searched.
    """

    project_id: str | None = field(
        default=None,
        metadata=checked(uuid, "Which project this is, to what its clones and copies share. Keep it as it is."),
    )
    ingest: IngestSettings = field(
        default_factory=IngestSettings,
        metadata=grouped(IngestSettings, "What 'heimdall load' takes from this project."),
    )
    qdrant: VectorEngineSettings = field(
        default_factory=VectorEngineSettings,
        metadata=grouped(VectorEngineSettings, "Vectors in Qdrant, for more memories than one machine holds."),
    )
