"""What can be done with a package's models: one table for `heimdall models` and for `heimdall-models`.

A command returns a report, whose text goes to the output that the command is given. What it works with is imported in
its body, since a help text needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .package import Package
from .report import Output, Report, printing
from .verify_command import verify

if TYPE_CHECKING:
    from .manifest import PinnedModel
    from .resolver import Resolution


Document: TypeAlias = dict[str, object]

_ASSETS_NAMED = 3
"""Assets of a model that are named for people: each of its files may be one."""


@dataclass(frozen=True, slots=True)
class Command:
    """One of the commands.

    Attributes:
        run: takes where its text is printed, the package, if it is about one, and by name what the options and the
            argument say. Its docstring is the help.
        path: the name of the path that it takes, if any.
        flags: its options without a value, and their help.
        files: its options that name a file, and their help.
        about_one: whether it is about one package and one variant of its model.
        in_checkout: what it does with a checkout instead, where it can: takes the output, the checkout's folder and the
            variant.
    """

    run: Callable[..., Report]
    path: str | None = None
    flags: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    about_one: bool = True
    in_checkout: Callable[..., Report] | None = None

    def perform(
        self,
        output: Output,
        *,
        package: str | None = None,
        checkout: Path | None = None,
        **options: Any,
    ) -> Report:
        """Run it.

        Args:
            package: the import name; default: as `packages.chosen_package` says.
            checkout: the folder of a checkout, in place of a package.
            options: its other options and its argument.

        Raises:
            HeimdallError: if it can't be done, or both are named.
            OSError: if something can't be read or written.
        """
        if checkout is not None and self.in_checkout is not None:
            if package:
                from .checkout import CheckoutError

                reason = f"--checkout names a folder, so that {package!r} can't be named, too"
                raise CheckoutError(str(checkout), reason)
            return self.in_checkout(output, checkout, **options)
        if not self.about_one:
            return self.run(output, **options)
        from .packages import chosen_package

        return self.run(output, chosen_package(package), **options)


def status(output: Output, package: Package, *, variant: str | None) -> Report:
    """Say which model is pinned and whether it is here. Exit code 1 if it is not."""
    from .manifest import read_model
    from .text import files as counted
    from .text import megabytes

    model = read_model(package, variant=variant)
    location = model.locate()
    files = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in model.files]
    assets = [f"{asset.tag}/{asset.name}" for asset in model.assets]
    document: Document = {
        **_identity(model),
        "complete": location.here,
        "verified": location.verified,
        "tier": location.tier,
        "directory": location.directory or None,
        "size": model.size,
        "asset": assets[0],
        "assets": assets,
        "files": files,
    }
    more = f" and {left:,} more" if (left := len(assets) - _ASSETS_NAMED) > 0 else ""
    fields: list[tuple[str, object]] = [
        ("model", f"{model.label}, {counted(len(files))}, {megabytes(model.size)}"),
        ("pinned", f"{', '.join(assets[:_ASSETS_NAMED])}{more} of {model.repository}"),
    ]
    if location.here:
        state = "complete" if location.verified else "present, to be verified when it is used"
        fields.append(("state", output.good(f"{state}, in the {location.tier} directory")))
        fields.append(("path", location.directory))
    else:
        absent = f"not here; '{package.command('pull')}' fetches it"
        fields.append(("state", output.warning(absent)))
    return Report(document, partial(output.fields, fields), location.here)


def pull(output: Output, package: Package, *, variant: str | None) -> Report:
    """Fetch and verify the model now, unless it is here already."""
    from .resolver import resolve_in_detail
    from .settings import Settings

    # Also under `HEIMDALL_FETCH=never`: the user asked for it.
    settings = replace(Settings.from_environment(), fetch="use")
    resolution = resolve_in_detail(variant=variant, package=package, settings=settings)
    origin = f"from {', '.join(resolution.sources)}"
    return _provided(output, resolution, origin, sources=list(resolution.sources))


def pull_into_checkout(output: Output, checkout: Path, *, variant: str | None) -> Report:
    """Bring what the lock of a checkout pins into its models' folder.

    What is there and right is not fetched; what is there and different is left as it is, with exit code 1.
    """
    from .checkout import read_checkout
    from .fill_checkout import fill
    from .text import files

    filled = fill(read_checkout(checkout), variant)
    lines: list[tuple[str, ...]] = []
    for one in filled:
        count = len(one.brought)
        origin = f", from {', '.join(one.sources)}" if one.sources else ""
        outcome = f"{files(count)} brought{origin}" if count else "was here already"
        good = output.good(f"{outcome}, verified")
        lines += [
            (f"{one.model.label}: ", output.bad("not as it is pinned") if one.findings else good),
            (str(one.directory),),
        ]
        lines += [
            (output.bad(f"{finding.state:<10} "), f"{finding.path}  {finding.detail}".rstrip())
            for finding in one.findings
        ]
    sound = not any(one.findings for one in filled)
    if not sound:
        again = f"'{filled[0].model.package.command('pull')}'"
        lines.append(
            (
                "what differs was left as it is: remove it and say ",
                f"{again} again, or pin it with 'hatch-heimdall-models lock'",
            )
        )
    models = [
        {
            **_identity(one.model),
            "directory": str(one.directory),
            "brought": list(one.brought),
            "sources": list(one.sources),
            "different": [asdict(finding) for finding in one.findings],
        }
        for one in filled
    ]
    return Report({"sound": sound, "models": models}, printing(output, lines), sound)


def path(output: Output, package: Package, *, variant: str | None) -> Report:
    """Print the directory of the model's files. Exit code 1 if they are not here."""
    from .manifest import read_model

    model = read_model(package, variant=variant)
    directory = model.locate().directory
    if not directory:
        return _not_here(output, model, {"directory": None})
    return Report({"directory": directory}, partial(output.line, directory))


def export(output: Output, package: Package, *, file: Path, variant: str | None) -> Report:
    """Write the model into one FILE, for a machine without a network."""
    from .bundle import export as write
    from .manifest import read_model
    from .text import megabytes

    model = read_model(package, variant=variant)
    directory = model.locate().directory
    if not directory:
        return _not_here(output, model, {**_identity(model), "file": None, "size": None})
    write(model, Path(directory), file)
    size = file.stat().st_size
    document: Document = {**_identity(model), "file": str(file.absolute()), "size": size}
    # Elsewhere the package stands behind the file, and would be taken for it.
    taker = package.command("import" if package.is_heimdall else f"import {file}")
    text = f"{model.label}: {megabytes(size)} in {file}; '{taker}' takes it"
    return Report(document, partial(output.line, text))


def import_(output: Output, package: Package, *, path: Path, variant: str | None) -> Report:
    """Take the model from PATH: an export, a release asset, a wheel, or a folder.

    Only hashes count: a folder may be a Hugging Face snapshot or cache, or have the files under any
    names. What is missing is named, and what is there is kept.
    """
    from .bundle import Given
    from .resolver import resolve_in_detail

    resolution = resolve_in_detail(variant=variant, package=package, sources=[Given(path)])
    return _provided(output, resolution, f"taken from {path}", taken=bool(resolution.sources))


def prune(output: Output, *, dry_run: bool) -> Report:
    """Remove models that no environment uses any more, and say why for each."""
    from .prune import carry_out, judge
    from .space import explaining
    from .store import Store
    from .text import megabytes

    store = Store()
    with explaining(store.models_dir):
        verdicts = judge(store)
        if not dry_run:
            carry_out(store, verdicts)
    freed = sum(verdict.size for verdict in verdicts if not verdict.keep)
    rows = [{**asdict(verdict), "path": str(verdict.path)} for verdict in verdicts]
    removed = "would remove" if dry_run else "removed"
    lines: list[tuple[str, ...]] = [
        (
            output.faint("kept") if verdict.keep else output.warning(removed),
            " " * (12 - len("kept" if verdict.keep else removed)),
            f"  {verdict.kind:<7}  {verdict.path.name}: {verdict.reason}",
        )
        for verdict in verdicts
    ]
    done = "would be freed" if dry_run else "freed"
    lines.append((f"{megabytes(freed)} {done} in {store.models_dir}",))
    return Report({"dry_run": dry_run, "freed": freed, "verdicts": rows}, printing(output, lines))


CHECKOUT_HELP = (
    "Bring what a checkout's lock pins into its models' folder; default: the folder here."
)
"""Of the option `--checkout [DIR]`, which commands have that can do something with one."""
COMMANDS = {
    "status": Command(status),
    "pull": Command(pull, in_checkout=pull_into_checkout),
    "path": Command(path),
    "verify": Command(
        verify,
        flags=(
            ("repair", "Fetch anew what is bad or missing."),
            ("provenance", "Check the attestation of the release's assets, too."),
        ),
        files=(("bundle", "Where that is; default: where the assets are published."),),
    ),
    "export": Command(export, path="file"),
    "import": Command(import_, path="path"),
    "prune": Command(
        prune, flags=(("dry_run", "Only say what would be removed."),), about_one=False
    ),
}
"""Every command by its name, in the order of the help."""


def _identity(model: PinnedModel) -> Document:
    return {"model": model.name, "variant": model.variant}


def _provided(output: Output, resolution: Resolution, origin: str, **more: object) -> Report:
    directory = str(resolution.directory)
    document: Document = {**_identity(resolution.model), "directory": directory, **more}
    outcome = output.good(f"{origin if resolution.sources else 'was here already'}, verified")
    lines = [(f"{resolution.model.label}: ", outcome), (directory,)]
    return Report(document, printing(output, lines))


def _not_here(output: Output, model: PinnedModel, document: Document) -> Report:
    pull = model.package.command("pull")
    problem = f"{model.label} is not here; '{pull}' fetches it"
    return Report(document, partial(output.error, problem), sound=False)
