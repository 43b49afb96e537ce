"""Which file belongs to which model of the configuration."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import by_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_heimdall_models.config import HookConfig, ModelConfig
    from hatch_heimdall_models.inventory import HashedFile


def assigned_files(
    config: HookConfig, files: Sequence[HashedFile]
) -> list[tuple[ModelConfig, list[HashedFile]]]:
    """Each model with its files, whose paths begin in its variant's folder.

    A file belongs to exactly one.

    Raises:
        ModelBuildError: naming each file that belongs to none or to several, and each model without one.
    """
    problems = []
    assigned: dict[ModelConfig, list[HashedFile]] = {model: [] for model in config.models}
    shared: set[ModelConfig] = set()
    for folder, inside in by_folder(files, config.variant_folders.values()).items():
        models = [
            model for model in assigned if config.variant_folders.get(model.variant, "") == folder
        ]
        for file in inside:
            owners = [
                model
                for model in models
                if any(fnmatchcase(file.path, form) for form in model.files)
            ]
            if len(owners) == 1:
                assigned[owners[0]].append(file)
                continue
            shared.update(owners)
            names = " and ".join(f"{model.name} ({model.variant})" for model in owners)
            problems.append(
                f"{folder}{'/' * bool(folder)}{file.path} belongs to {names or 'no model'}: "
                "let the 'files' of exactly one model match it"
            )
    problems += [
        f"{model.name} ({model.variant}): its 'files' match none"
        for model, own in assigned.items()
        if not own and model not in shared
    ]
    if problems:
        raise ModelBuildError(config.models_dir, problems)
    return list(assigned.items())
