"""The table in `pyproject.toml`: checked as a whole, so that a maintainer sees every mistake at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from hatch_heimdall_models.inlining import INLINE_LIMIT
from hatch_heimdall_models.manifest import NAME_FORM, REPOSITORY_FORM
from hatch_heimdall_models.pin_rules import marker_problem
from hatch_heimdall_models.places import template_problem
from hatch_heimdall_models.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "heimdall-models"
"""The table's name in `[tool]`, and the hook's in `[tool.hatch.build.hooks]`."""
DEFAULT_LOCK = "models.lock.json"
DEFAULT_TAG = "v{version}"
DEFAULT_VARIANT = "standard"

HATCH_KEYS = frozenset(
    {
        "dependencies",
        "require-runtime-dependencies",
        "require-runtime-features",
        "enable-by-default",
        "path",
    }
)
"""What hatchling itself says in a hook's table."""
_TAG = re.compile(r"(?=[A-Za-z0-9{])[A-Za-z0-9._+-]*(\{version\}[A-Za-z0-9._+-]*)?")
_ASSET = re.compile(r"(?=[A-Za-z0-9{])[A-Za-z0-9._+-]*(\{tag\}[A-Za-z0-9._+-]*)?(\.zip|\{file\})")
_ANY = re.compile(r"[^\x00-\x1f\x7f]+")
_NAME = "a name of letters, digits, '.', '_' and '-'"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What a lock says about a model, and the files do not.

    Attributes:
        name: the model's name.
        license: SPDX expression of the model's own licence.
        upstream: where the model comes from.
        variant: tells apart several forms of one model.
        marker: a PEP 508 environment marker that limits the model to machines it matches.
        files: patterns of the paths below `models-dir`, or its variant's folder there, that belong
            to it; `*` matches `/` too.
        also: templates of other places of its files.
        asset: file name of its release asset, with `{tag}` standing for the release's tag: of a zip
            with all files; or, ending in `{file}`, which stands for a file's path with `-` between
            folders, of each file that does not travel in the manifest, as it is.
        license_files: the files of its licence, relative to the project's root, which distribution
            and asset carry.
    """

    name: str
    license: str
    upstream: str
    variant: str = DEFAULT_VARIANT
    marker: str | None = None
    files: tuple[str, ...] = ("*",)
    asset: str = ""
    license_files: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def has_single_files(self) -> bool:
        """Whether its assets are its large files as they are."""
        return self.asset.endswith("{file}")

    def asset_name(self, tag: str, file: str = "{file}") -> str:
        """The file name of the asset below `tag`, or that of one of its files."""
        variant = "" if self.variant == DEFAULT_VARIANT else f"-{self.variant}"
        return (
            (self.asset or f"{self.name}{variant}-{{tag}}.zip")
            .replace("{tag}", tag)
            .replace("{file}", file)
        )


@dataclass(frozen=True, slots=True)
class HookConfig:
    """What the hook was told. Paths are relative to the project's root, POSIX.

    Attributes:
        models_dir: the folder whose files are pinned and never packed.
        manifest: where the manifest goes in wheel and sdist.
        repository: `owner/name` of the repository whose releases hold the assets.
        lock: the committed file that holds the pins.
        tag: the tag under which all pinned assets have to lie, with `{version}` standing for the
            project's version; None when nothing was said: new assets get `DEFAULT_TAG`, and what
            did not change may stay under an older one.
        max_wheel_size: bytes that the finished wheel may have at most; None for any number.
        sbom: whether wheels carry a bill of the models.
        variant_folders: by variant, the folder below `models_dir` that holds its files, whose
            pinned paths begin there; files of all other variants lie directly in `models_dir`.
        models: what `hatch-heimdall-models lock` writes about the models; the first is the default.
            A build needs only their licence files.
        inline_limit: bytes that a file may have, compressed, to travel inside the manifest.
    """

    models_dir: str
    manifest: str
    repository: str
    lock: str = DEFAULT_LOCK
    tag: str | None = None
    max_wheel_size: int | None = None
    sbom: bool = False
    variant_folders: Mapping[str, str] = field(default_factory=dict)
    models: tuple[ModelConfig, ...] = ()
    inline_limit: int = INLINE_LIMIT

    def demanded_tag(self, version: str) -> str | None:
        """The one tag that every pinned asset has to have; None when older ones may stay."""
        return None if self.tag is None else self.tag.replace("{version}", version)

    @property
    def next_tag(self) -> str:
        """The tag under which new assets are pinned, `{version}` in it standing for the project's version."""
        return self.tag or DEFAULT_TAG


def parse_config(
    table: Mapping[str, object], *, where: str, subject: str = "pyproject.toml", hooked: bool = True
) -> HookConfig:
    """Check a table and give its values.

    Args:
        table: the table as TOML gives it.
        where: the table's full TOML path, for messages, for example
            `tool.hatch.build.hooks.custom`.
        subject: the file that has the table.
        hooked: whether hatchling's hook copies the lock to the manifest; where nothing does, both
            are one file.

    Raises:
        ModelBuildError: naming every problem with its full TOML path, what was found and what is
            allowed.
    """
    reader = Reader(table, where)
    # Messages list the keys in the order in which they are read.
    # A slash at the end is how many people mark a folder.
    models_dir = reader.path("models-dir", folder=True)
    folders = _folders(reader)
    manifest = reader.path("manifest")
    config = HookConfig(
        models_dir=models_dir,
        variant_folders=folders,
        manifest=manifest,
        repository=reader.text(
            "repository", REPOSITORY_FORM, "'owner/name' of a repository on GitHub"
        ),
        lock=reader.path("lock", DEFAULT_LOCK if hooked else manifest or DEFAULT_LOCK),
        tag=reader.optional(
            reader.text, "tag", _TAG, "a tag's name in which only {version} stands in braces"
        ),
        inline_limit=_inline_limit(reader),
        max_wheel_size=reader.optional(reader.size, "max-wheel-size"),
        sbom=reader.flag("sbom"),
        models=tuple(_models(reader)),
    )
    reader.refuse_unknown_keys(*HATCH_KEYS)
    for key, path in (("manifest", config.manifest), ("lock", config.lock)):
        if config.models_dir and f"{path}/".startswith(f"{config.models_dir}/"):
            reader.error(
                key,
                f"{path!r} lies in models-dir, of which no file is ever packed: choose another place",
            )
    if not hooked and manifest and config.lock != manifest:
        reader.error(
            "lock",
            f"{config.lock!r} is another file than manifest, and no build hook copies it there: "
            "leave the key out, so that one committed file is both",
        )
    reader.raise_problems(subject)
    return config


def _inline_limit(reader: Reader) -> int:
    # Of the sizes, this one alone may be none at all.
    if reader.value("inline-limit", INLINE_LIMIT) in {0, INLINE_LIMIT}:
        return int(reader.value("inline-limit", INLINE_LIMIT))
    return reader.size("inline-limit")


def _folders(reader: Reader) -> dict[str, str]:
    """The folders of variants, by variant."""
    table = reader.inner("variant-folders")
    folders = {name: table.path(name) for name in table.table}
    for name in folders:
        if not NAME_FORM.fullmatch(name):
            table.error(name, f"expected {_NAME} as the variant's name")
    for outer, inner in pairwise(sorted(filter(None, folders.values()))):
        if f"{inner}/".startswith(f"{outer}/"):
            table.error(
                None, f"expected folders apart from one another, but {inner!r} lies in {outer!r}"
            )
    return folders


def _licence(entry: Reader) -> str:
    """The model's licence, in the spelling that SPDX has for it."""
    # Here, since help texts and checks need none of it.
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    expression = entry.text("license", _ANY, "the SPDX expression of the model's licence")
    try:
        return str(canonicalize_license_expression(expression)) if expression else ""
    except InvalidLicenseExpression as error:
        entry.error(
            "license",
            f"{expression!r} is no SPDX expression ({error}): for example MIT, 'Apache-2.0 OR MIT', or "
            "LicenseRef-<name> for a licence that has no identifier",
        )
        return ""


def _models(reader: Reader) -> Iterator[ModelConfig]:
    entries: dict[tuple[str, str, str | None], str] = {}
    assets: dict[str, str] = {}
    for entry in reader.each("models"):
        model = ModelConfig(
            name=entry.text("name", NAME_FORM, _NAME),
            license=_licence(entry),
            upstream=entry.text(
                "upstream", _ANY, "a URL or a sentence that says where the model comes from"
            ),
            variant=entry.text("variant", NAME_FORM, _NAME, DEFAULT_VARIANT),
            marker=entry.optional(entry.text, "marker", _ANY, "a PEP 508 environment marker"),
            files=entry.texts("files", ("*",)),
            asset=entry.optional(
                entry.text,
                "asset",
                _ASSET,
                "the name of a zip in which only {tag} stands in braces, or a name that ends in {file}",
            )
            or "",
            license_files=entry.paths("license-files"),
            also=entry.texts("also"),
        )
        if model.marker and (problem := marker_problem(model.marker)):
            entry.error("marker", f"{model.marker!r} {problem}")
        for template in model.also:
            if problem := template_problem(template):
                entry.error("also", f"{template!r} {problem}")
        entry.refuse_unknown_keys()
        here = entry.where.removeprefix(f"{reader.where}.")
        name = model.asset_name("{tag}")
        first = entries.setdefault((model.name, model.variant, model.marker), here)
        namesake = assets.setdefault(name.casefold(), here)
        if first != here:
            entry.error(None, f"has the name, variant and marker of {first}")
        elif namesake != here:
            entry.error("asset", f"has the name of the asset of {namesake}, {name!r}")
        yield model
