"""The build hook itself: what hatchling calls, wired to the logic of the other modules."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

from hatch_heimdall_models.archive import ArchivePolicy, violations
from hatch_heimdall_models.config import HookConfig
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import megabytes
from hatch_heimdall_models.pinning import Pins, licence_problems, pins_for
from hatch_heimdall_models.project import build_hooks, read_config
from hatch_heimdall_models.sbom import SBOM_NAME, sbom_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hatch_heimdall_models.manifest import Manifest


class HeimdallModelsHook(BuildHookInterface[BuilderConfig]):
    """Keeps a project's model files out of its wheel and sdist, and writes a manifest that pins them instead.

    It acts on the targets `wheel` and `sdist`, and must be configured for both at once, under
    `tool.hatch.build.hooks`. An editable install gets no manifest: it has the project's own tree.
    """

    PLUGIN_NAME = "heimdall-models"

    _settled: tuple[HookConfig, Manifest] | None = None
    """What `initialize` settled for the archive that `finalize` will look at."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Settle what is pinned, and have the manifest packed.

        Args:
            version: hatchling's name for the kind of build: `standard` or `editable`.
            build_data: hatchling's mutable data of this build; gets a `force_include`.
        """
        self._settled = None
        if self.target_name not in {"wheel", "sdist"}:
            return
        with self._without_traceback():
            config = self._read_config()
            if version == "editable":
                return
            core = self.metadata.core
            pins = pins_for(
                Path(self.root), config, distribution=core.raw_name, version=self.metadata.version
            )
            if problems := licence_problems(config, core.license_files):
                raise ModelBuildError(build_hooks(Path(self.root))[0], problems)
            files = {"manifest.json": pins.manifest.dumps()}
            if config.sbom and self.target_name == "wheel":
                files[SBOM_NAME] = sbom_of(pins.manifest, version=self.metadata.version)
            self._settled = config, pins.manifest
            scratch = self._write(files)
            build_data["force_include"][str(scratch / "manifest.json")] = config.manifest
            build_data.setdefault("sbom_files", []).extend(
                str(scratch / name) for name in files if name == SBOM_NAME
            )
            self.app.display_info(f"hatch-heimdall-models: {_summary(pins, config)}")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Open the finished archive, and remove it if it violates the policy.

        Args:
            version: as for `initialize`.
            build_data: as for `initialize`.
            artifact_path: the finished archive.
        """
        if self._settled is None:
            return
        artifact = Path(artifact_path)
        keep = False
        try:
            with self._without_traceback():
                if problems := self._problems(artifact, *self._settled):
                    raise ModelBuildError(
                        f"{artifact.name} was removed from {artifact.parent}", problems
                    )
            keep = True
        finally:
            # Also when the check itself fails: what was not checked is not left to be published.
            if not keep:
                artifact.unlink(missing_ok=True)
            self._clean_up()

    def _problems(self, artifact: Path, config: HookConfig, manifest: Manifest) -> list[str]:
        models_dir = config.models_dir
        policy = ArchivePolicy(
            models_dir=place_in_archive(self.build_config, models_dir),
            manifest_path=place_in_archive(self.build_config, config.manifest),
            manifest=manifest,
            max_wheel_size=config.max_wheel_size,
        )
        problems = violations(artifact, policy)
        if problems and not self.build_config.path_is_excluded(f"{models_dir}/any/file"):
            problems.append(
                f'{build_hooks(Path(self.root))[1].removesuffix(".hooks")}.exclude (or the target\'s own exclude, which replaces it) lacks "/{models_dir}/**"'
            )
        return problems

    def _read_config(self) -> HookConfig:
        name = self.PLUGIN_NAME
        subject, where, _ = build_hooks(Path(self.root))
        if name not in self.build_config.build_config.get("hooks", {}):
            problem = (
                f"{where.removesuffix('hooks')}targets.{self.target_name}.hooks.{name}: must stand under "
                f"{where}.{name} instead, or the other targets would ship the models"
            )
            raise ModelBuildError(subject, [problem])
        return read_config(Path(self.root))

    def _write(self, files: Mapping[str, str]) -> Path:
        """Put files into a folder of their own outside the project, where hatchling's walk does not find them."""
        root = Path(self.root).resolve()
        parent = Path(tempfile.gettempdir()).resolve()
        # A temporary folder inside the project would be packed with it.
        if parent.is_relative_to(root):
            parent = root.parent
        scratch = tempfile.mkdtemp(prefix="heimdall-models-", dir=parent)
        # Runs in `finalize`, or at the interpreter's end when the build fails before it.
        self._clean_up = weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        for name, text in files.items():
            Path(scratch, name).write_bytes(text.encode())
        return Path(scratch)

    @contextmanager
    def _without_traceback(self) -> Iterator[None]:
        """Show a maintainer's mistake as a message alone.

        Front ends print a back end's standard error and what it raised; only an exit, which is also
        how hatchling aborts, leaves no traceback in hatch, build, uv and pip alike.
        """
        try:
            yield
        except ModelBuildError as error:
            self.app.display_error(f"hatch-heimdall-models: error: {error}")
            sys.exit(1)


def place_in_archive(config: BuilderConfig, path: str, *, separator: str = os.sep) -> str:
    """Where a file or folder of the project's is packed, by the project's `sources`.

    Args:
        config: hatchling's, whose rules for paths are in the system's own spelling.
        path: relative, POSIX.
        separator: the system's own.
    """
    own = path.replace("/", separator)
    return config.get_distribution_path(own).replace(separator, "/")


def _summary(pins: Pins, config: HookConfig) -> str:
    files = [file for model in pins.manifest.models for file in model.files]
    size = megabytes(sum(file.size for file in files))
    state = (
        f"checked against {config.models_dir}"
        if pins.checked
        else f"none of them present in {config.models_dir}"
    )
    return f"{pins.source} pins {len(files)} files of {size}, {state}"
