"""Files among the models that a maintainer seldom means to take out of the package, or to publish."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hatch_heimdall_models.files import sha256_of
from hatch_heimdall_models.leaks import secret_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hatch_heimdall_models.config import ModelConfig
    from hatch_heimdall_models.inventory import HashedFile

_CODE = (".py", ".pyi", ".pyx", ".pxd", ".pyc")
_LICENCES = ("licen[cs]e*", "copying*", "notice*", "copyright*", "authors*")


def risks(
    root: Path, directory: Path, model: ModelConfig, files: Sequence[HashedFile]
) -> Iterator[str]:
    """What is wrong with pinning these files, a sentence each.

    Hidden files, code and licences have to be named: a pattern of the model's `files` that ends in
    `*` does not speak of them.

    Args:
        root: the project's root.
        directory: where the paths of the files begin.
        model: whose files they are.
        files: without those that nobody looks for in a model.
    """
    carried = {sha256_of(root / name) for name in model.license_files if (root / name).is_file()}
    for file in files:
        if kind := secret_in(directory / file.path):
            yield (
                f"{file.path} holds {kind}, and would be published: revoke it, and remove it or the file"
            )
        elif not _named(file.path, model) and (problem := _problem(file, carried)):
            yield f"{file.path} {problem}, or name it in the 'files' of {model.name} if the model needs it"


def code_problem(name: str) -> str | None:
    """Why a file of that name is none of a model, if it is code."""
    if not name.lower().endswith(_CODE):
        return None
    return (
        "is code, and nothing in models-dir is packed into a wheel: move it out (or the models into a "
        "folder of their own, and models-dir with them)"
    )


def _named(path: str, model: ModelConfig) -> bool:
    return any(fnmatchcase(path, form) for form in model.files if not form.endswith("*"))


def _problem(file: HashedFile, carried: set[str]) -> str | None:
    name = file.path.rpartition("/")[2].lower()
    if problem := code_problem(name):
        return problem
    if any(fnmatchcase(name, form) for form in _LICENCES) and file.sha256 not in carried:
        return (
            "is a licence or notice, and nothing in models-dir is packed into a wheel: copy it to a folder "
            "such as LICENSES and name it in the model's 'license-files'"
        )
    if any(part.startswith(".") for part in file.path.split("/")):
        return "is hidden, as tools keep their own files: remove it"
    return None
