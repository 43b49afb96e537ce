"""Environment markers (PEP 508) without any dependency: those by which a model can depend on the machine.

It runs on Python 3.8, since `vendor` writes it into other packages.
"""

from __future__ import annotations

import operator
import os
import platform
import re
import sys
from typing import Tuple

_TOKEN = re.compile(r"""\s*('[^']*'|"[^"]*"|[<>=!~]=?=?|[()]|not\s+in\b|[a-z_]+)""")
_VERSION = re.compile(r"(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?\+?")
_VERSIONS = ("python_version", "python_full_version", "implementation_version")
_ORDER = {">": operator.gt, ">=": operator.ge, "<=": operator.le}
_Version = Tuple[Tuple[int, ...], Tuple[str, int]]


def environment() -> dict[str, str]:
    """The variables of this machine that markers may name."""
    info = sys.implementation.version
    kind = "" if info.releaselevel == "final" else f"{info.releaselevel[0]}{info.serial}"
    return {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_system": platform.system(),
        "platform_python_implementation": platform.python_implementation(),
        "implementation_name": sys.implementation.name,
        "implementation_version": f"{info.major}.{info.minor}.{info.micro}{kind}",
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": platform.python_version(),
    }


def holds(marker: str | None, variables: dict[str, str] | None = None) -> bool:
    """Whether a marker holds.

    Args:
        marker: the marker; None holds everywhere.
        variables: what it may name; default: those of this machine.

    Raises:
        ValueError: if it is none, or needs what is not known here.
    """
    if marker is None:
        return True
    try:
        tokens = _tokens(marker)
        result = _any(tokens, environment() if variables is None else variables)
        problem = f"has {tokens[-1]!r} where 'and', 'or' or the end is expected" if tokens else ""
    except IndexError:
        problem = "ends too early"
    except (ValueError, RecursionError) as error:
        problem = str(error)
    if problem:
        raise ValueError(f"the marker {marker!r} {problem}")
    return result


def _tokens(marker: str) -> list[str]:
    """What it is made of, the last one first."""
    tokens = []
    text = marker.rstrip()
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise ValueError(f"can't be read from {text[position:]!r} on")
        token = match[1]
        tokens.append(token if token[0] in "'\"" else " ".join(token.split()))
        position = match.end()
    return tokens[::-1]


def _any(tokens: list[str], variables: dict[str, str]) -> bool:
    result = _all(tokens, variables)
    while tokens[-1:] == ["or"]:
        tokens.pop()
        # First, since it has to be read whatever comes out.
        result = _all(tokens, variables) or result
    return result


def _all(tokens: list[str], variables: dict[str, str]) -> bool:
    result = _one(tokens, variables)
    while tokens[-1:] == ["and"]:
        tokens.pop()
        result = _one(tokens, variables) and result
    return result


def _one(tokens: list[str], variables: dict[str, str]) -> bool:
    if tokens[-1] == "(":
        tokens.pop()
        result = _any(tokens, variables)
        if tokens.pop() != ")":
            raise ValueError("lacks a ')'")
        return result
    left, comparison, right = tokens.pop(), tokens.pop(), tokens.pop()
    names = [token for token in (left, right) if token[0] not in "'\""]
    if len(names) != 1:
        raise ValueError(f"compares {left} with {right}, but one of both has to be a text")
    if names[0] not in variables:
        raise ValueError(f"has {names[0]!r}, but only {', '.join(sorted(variables))} are known")
    one, other = (variables.get(token, token[1:-1]) for token in (left, right))
    if comparison in {"in", "not in"}:
        return (one in other) == (comparison == "in")
    if names[0] in _VERSIONS:
        return _compare(one, comparison, other)
    if comparison in {"==", "!="}:
        return (one == other) == (comparison == "==")
    raise ValueError(f"orders {names[0]} by {comparison!r}, which only versions have")


def _compare(one: str, comparison: str, other: str) -> bool:
    if comparison in {"==", "!="} and other.endswith(".*"):
        return _begins(_version(one)[0], _version(other[:-2])[0]) == (comparison == "==")
    left, right = _version(one), _version(other)
    if comparison in {"==", "!="}:
        return (_trimmed(left) == _trimmed(right)) == (comparison == "==")
    if comparison in _ORDER:
        return bool(_ORDER[comparison](_trimmed(left), _trimmed(right)))
    if comparison == "<":
        # The pre-releases of a version do not count as older than it (PEP 440).
        early = _trimmed(left)[0] == _trimmed(right)[0] and right[1][0] == "z"
        return _trimmed(left) < _trimmed(right) and not early
    if comparison == "~=" and len(right[0]) > 1:
        return _trimmed(left) >= _trimmed(right) and _begins(left[0], right[0][:-1])
    raise ValueError(f"compares versions by {comparison!r} {other!r}")


def _version(text: str) -> _Version:
    match = _VERSION.fullmatch(text)
    if not match:
        raise ValueError(f"has {text!r} where a version such as '3.11' is expected")
    kind = (match[2], int(match[3])) if match[2] else ("z", 0)
    return tuple(map(int, match[1].split("."))), kind


def _trimmed(version: _Version) -> _Version:
    """The same for versions that are equal: 3.10 and 3.10.0."""
    numbers = list(version[0])
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), version[1]


def _begins(numbers: tuple[int, ...], prefix: tuple[int, ...]) -> bool:
    padded = numbers + (0,) * len(prefix)
    return padded[: len(prefix)] == prefix
