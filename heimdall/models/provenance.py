"""Where release assets come from: their published attestations, checked by sigstore's own library.

The manifest says which bytes an asset has. An attestation says which workflow of which repository made them, at which
tag. It proves itself, so that it does not matter who keeps it: it is looked for beside the asset, at every place that may
have that.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ModelError, SourceError
from .manifest import PinnedAsset, PinnedModel
from .package import DISTRIBUTION
from .settings import Settings
from .sources.asset import Assets
from .sources.plan import chosen_sources
from .text import printable, shortened
from .transfer.connections import within
from .transfer.http import Client

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.verify import Verifier

SUFFIX = ".sigstore.json"
"""Behind an asset's name: its attestation, a Sigstore bundle."""
_ISSUER = "https://token.actions.githubusercontent.com"
_STATEMENT = "application/vnd.in-toto+json"
_PREDICATE = "https://slsa.dev/provenance/v1"
_LONGEST = 500


@dataclass(eq=False, repr=False)
class ProvenanceError(ModelError):
    """Attestations can't be checked here.

    Attributes:
        reason: why, and what to do.
    """

    reason: str

    says = "the attestation can't be checked: {reason}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is to be said of where an asset comes from.

    Attributes:
        asset: its tag and name, `v1.0/model.zip`.
        state: `ok` if an attestation holds, `missing` if nobody has one, `different` if what there is does not hold.
        signer: the workflow that made the asset, as a URL with the tag; empty unless an attestation holds.
        origin: who has the attestation.
        detail: what is wrong.
    """

    asset: str
    state: str
    signer: str = ""
    origin: str = ""
    detail: str = ""


def check(model: PinnedModel, settings: Settings, bundle: Path | None = None) -> list[Provenance]:
    """Look for the attestation of each asset of a model, and check it.

    Args:
        bundle: a file with attestations; default: what is published beside the assets.

    Raises:
        ProvenanceError: if that is not possible here: without sigstore's library, or if nobody can be asked.
        OSError: if the file can't be read.
    """
    _require_library()
    verifier = cache(partial(_verifier, settings))
    client = Client(settings.stall_seconds, settings.connect_seconds)
    with contextlib.closing(client):
        return [
            _first_that_holds(
                _from_file(bundle) if bundle else _published(asset, model, settings, client),
                asset,
                model.repository,
                verifier,
            )
            for asset in model.assets
        ]


def _from_file(path: Path) -> Iterator[tuple[str, bytes]]:
    yield str(path), path.read_bytes()


def _published(
    asset: PinnedAsset, model: PinnedModel, settings: Settings, client: Client
) -> Iterator[tuple[str, bytes]]:
    """What there is beside an asset, and where.

    Raises:
        ProvenanceError: after the last one, if somebody could not be asked.
    """
    sources = [source for source in chosen_sources(model, settings) if isinstance(source, Assets)]
    if not sources:
        raise ProvenanceError("HEIMDALL_SOURCES names neither github nor a mirror")
    failures: list[SourceError] = []
    for source in sources:
        if source.remote and settings.offline:
            told = f"{source.name}: not asked, since {settings.offline} is set"
            failures.append(SourceError(told))
            continue
        try:
            yield source.place, source.beside(asset, SUFFIX, client)
        except SourceError as error:
            failures.append(error)
        except Exception as error:  # noqa: BLE001 (whatever an answer makes a parser raise)
            told = f"{source.place}: its answer can't be used ({type(error).__name__})"
            failures.append(SourceError(told))
    if not all(error.absent for error in failures):
        told = "; ".join(error.reason for error in failures)
        raise ProvenanceError(f"{told}; '--bundle FILE' takes one that is on this machine")


def _first_that_holds(
    found: Iterator[tuple[str, bytes]],
    asset: PinnedAsset,
    repository: str,
    verifier: Callable[[], Verifier],
) -> Provenance:
    name, wrong = f"{asset.tag}/{asset.name}", None
    try:
        for origin, document in found:
            for bundle in _bundles(document):
                signer, problem = examine(bundle, asset, repository, verifier())
                if not problem:
                    return Provenance(name, "ok", signer, origin)
                wrong = wrong or Provenance(name, "different", origin=origin, detail=problem)
    except ProvenanceError:
        if wrong is None:
            raise
    return wrong or Provenance(name, "missing", detail=f"nobody has a {asset.name}{SUFFIX}")


def _bundles(document: bytes) -> Sequence[bytes]:
    """One bundle, or one in each line, as `gh attestation download` writes them."""
    try:
        json.loads(document)
    except (ValueError, RecursionError):
        return document.splitlines() or [document]
    return [document]


def examine(
    document: bytes, asset: PinnedAsset, repository: str, verifier: Verifier
) -> tuple[str, str]:
    """Check whether a bundle says that a workflow of the repository made the asset at its tag.

    Needs no network: the bundle has the proof that it is in the transparency log.

    Returns:
        The workflow, and what is wrong; one of them is empty.
    """
    from sigstore.models import Bundle

    try:
        bundle = Bundle.from_json(document)
        kind, payload = verifier.verify_dsse(bundle, _Workflow(repository, asset.tag))
        problem = _problem(kind, payload, asset)
        signer = _signer(bundle.signing_certificate)
    except Exception as error:  # noqa: BLE001 (whatever it makes a parser raise, it proves nothing)
        told = printable(" ".join(str(error).split())) or type(error).__name__
        if told.startswith("failed to load bundle"):  # and then which fields a parser misses
            told = "it is no sigstore bundle"
        return "", shortened(told, _LONGEST)
    return ("", printable(problem)) if problem else (signer, "")


def _problem(kind: str, payload: bytes, asset: PinnedAsset) -> str:
    """What is wrong with a statement whose signature holds."""
    if kind != _STATEMENT:
        return f"it is of the kind {kind}, expected {_STATEMENT}"
    statement = json.loads(payload)
    if statement["predicateType"] != _PREDICATE:
        return f"it says {statement['predicateType']}, expected {_PREDICATE}"
    digests = [str(subject["digest"].get("sha256")) for subject in statement["subject"]]
    if asset.sha256 not in digests:
        found = ", ".join(digests[:3]) or "none"
        return f"it is about other bytes: expected sha256 {asset.sha256}, found {found}"
    return ""


class _Workflow:
    """The policy: any workflow of a repository, run there and at a tag.

    Where it was run is asked besides whose it is: any repository may call a workflow of another one.
    """

    def __init__(self, repository: str, tag: str) -> None:
        self._home, self._ref = f"https://github.com/{repository}", f"refs/tags/{tag}"

    def verify(self, cert: Certificate) -> None:
        """Raise `VerificationError` unless it was so."""
        from sigstore.errors import VerificationError
        from sigstore.verify import policy

        signer = _signer(cert)
        path, _, ref = signer.partition("@")
        if not path.startswith(f"{self._home}/.github/workflows/") or ref != self._ref:
            expected = f"a workflow of {self._home} at {self._ref}"
            raise VerificationError(f"it was signed by {signer}, expected {expected}")
        policy.AllOf(
            [
                policy.OIDCIssuerV2(_ISSUER),
                policy.OIDCSourceRepositoryURI(self._home),
                policy.OIDCSourceRepositoryRef(self._ref),
            ]
        ).verify(cert)


def _signer(certificate: Certificate) -> str:
    from cryptography.x509 import SubjectAlternativeName, UniformResourceIdentifier

    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    return ", ".join(names.get_values_for_type(UniformResourceIdentifier))


def _require_library() -> None:
    try:
        import sigstore.verify  # noqa: F401 (only whether it can be)
    except ImportError as error:
        extra = f"pip install '{DISTRIBUTION}[provenance]'"
        raise ProvenanceError(f"that takes sigstore's library ({error}): {extra}") from error


def _verifier(settings: Settings) -> Verifier:
    """Sigstore's public instance: with its keys of today, or, where they can't be had, those that are here.

    Raises:
        ProvenanceError: if there are none.
    """
    from sigstore.verify import Verifier

    try:
        with _silence():
            if not settings.offline:
                with contextlib.suppress(Exception):
                    return within(settings.connect_seconds, Verifier.production)
            return Verifier.production(offline=True)
    except Exception as error:
        told = printable(str(error)) or type(error).__name__
        kept = "the user's data and cache directories"
        raise ProvenanceError(f"sigstore's keys can't be kept in {kept} ({told})") from error


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Without the warnings that libraries log, on stderr where nobody asks for them: what matters is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
