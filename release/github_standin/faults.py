"""Which requests go wrong, and how: rules by host, path and turn."""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable
from fnmatch import fnmatchcase

from release.github_standin.effects import Effect
from release.github_standin.messages import Application, Request, Response


class Fault:
    """A rule, for example `Fault(Drip(1000), CutAfter(5000), host="assets", turns={1})`.

    Args:
        effects: what happens to a request that the rule matches, in this order.
        host: the name of the host (`web`, `assets`, …), with `*` and `?` as in a shell.
        path: the percent-decoded path, likewise.
        methods: the methods that match.
        turns: which of the requests that match, counted from 1, for example `{1, 3}` or `range(2, 5)`; None is all.
    """

    def __init__(
        self,
        *effects: Effect,
        host: str = "*",
        path: str = "*",
        methods: Container[str] = ("GET",),
        turns: Container[int] | None = None,
    ) -> None:
        self.effects = effects
        self.host = host
        self.path = path
        self.methods = methods
        self.turns = turns

    def matches(self, host: str, request: Request) -> bool:
        """Whether the rule is about this request, whatever its turn."""
        return (
            request.method in self.methods
            and fnmatchcase(host, self.host)
            and fnmatchcase(request.path, self.path)
        )


class Faults:
    """The rules of a server, which may be changed while it runs. All rules that match apply, in their order."""

    def __init__(self, rules: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._rules = [_Counted(rule) for rule in rules]

    def add(self, rule: Fault) -> None:
        """Put one more rule at the end."""
        with self._lock:
            self._rules.append(_Counted(rule))

    def clear(self) -> None:
        """Behave well from now on."""
        with self._lock:
            self._rules.clear()

    def answer(self, host: str, request: Request, application: Application) -> Response:
        """The application's answer, with everything that goes wrong with it."""
        effects = self._effects(host, request)
        for effect in effects:
            request = effect.on_request(request)
            application = effect.on_application(application)
        response = application(request)
        for effect in effects:
            response = effect.on_response(response)
        return response

    def _effects(self, host: str, request: Request) -> list[Effect]:
        with self._lock:
            return [
                effect
                for rule in self._rules
                if rule.strikes(host, request)
                for effect in rule.fault.effects
            ]


class _Counted:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._seen = 0

    def strikes(self, host: str, request: Request) -> bool:
        if not self.fault.matches(host, request):
            return False
        self._seen += 1
        return self.fault.turns is None or self._seen in self.fault.turns
