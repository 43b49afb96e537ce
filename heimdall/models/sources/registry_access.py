"""What an OCI registry is shown: nothing until it asks, then a login of this machine, or a token that it is exchanged for."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..errors import SourceError
from ..secrets import redact_url
from ..transfer.address import basic_authorization
from ..transfer.http import Answer, Client
from .logins import Login, registry_login

LARGEST_DOCUMENT = 4 << 20
_PARAMETER = re.compile(r'([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_HELPER_SECONDS = 10.0


@dataclass(slots=True)
class Access:
    """A registry and what it is shown: nothing, until it asks.

    Attributes:
        url: of its API.
        user: user and password of the mirror's URL.
        header: name and value of a header that mirrors alone get.
        authorization: what it wanted last, by repository.
    """

    url: str
    user: tuple[str, str] | None = field(default=None, repr=False)
    header: tuple[str, str] | None = field(default=None, repr=False)
    authorization: dict[str, str] = field(default_factory=dict, repr=False)

    def headers(self, repository: str) -> dict[str, str]:
        """The credentials so far."""
        given = dict([self.header] if self.header else [])
        if authorization := self.authorization.get(repository):
            given["Authorization"] = authorization
        return given

    def answer(self, challenge: str, repository: str, client: Client) -> str:
        """Have credentials ready that the challenge asks for; where they come from.

        Raises:
            SourceError: if there are none.
        """
        scheme, _, rest = challenge.partition(" ")
        parameters = {name.lower(): a or b for name, a, b in _PARAMETER.findall(rest)}
        login = self._login(repository, client)
        if scheme.lower() == "basic" and login and login.basic:
            self.authorization[repository] = login.basic
        elif scheme.lower() == "bearer" and parameters.get("realm"):
            token = self._token(parameters, login, repository, client)
            self.authorization[repository] = f"Bearer {token}"
        else:
            raise SourceError(_wanting(self.url))
        return login.origin if login else ""

    def _login(self, repository: str, client: Client) -> Login | None:
        if self.user:
            return Login("the mirror's URL", basic_authorization(*self.user))
        if self.header and self.header[0] == "Authorization":
            is_basic = self.header[1].lower().startswith("basic ")
            return Login("HEIMDALL_MIRROR_HEADER", self.header[1] if is_basic else None)
        host = urlsplit(self.url).netloc
        known_as = "index.docker.io" if host == "registry-1.docker.io" else host
        seconds = client.patience.limit(_HELPER_SECONDS)
        return registry_login(known_as, repository, seconds)

    def _token(
        self, parameters: Mapping[str, str], login: Login | None, repository: str, client: Client
    ) -> str:
        """A token of the realm that the registry names."""
        realm = parameters["realm"]
        if urlsplit(realm).scheme not in {"https", urlsplit(self.url).scheme}:
            raise SourceError(
                f"{self.url}: sends to {redact_url(realm)} for a token, which was refused: not https"
            )
        asked = {"scope": parameters.get("scope") or f"repository:{repository}:pull"}
        if service := parameters.get("service"):
            asked["service"] = service
        form = None
        credentials = {"Authorization": login.basic} if login and login.basic else {}
        if login and login.identity_token:
            form = {"grant_type": "refresh_token", "refresh_token": login.identity_token}
            form |= {**asked, "client_id": "heimdall"}
            url = realm
        else:
            url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}"
        try:
            with client.open(url, credentials=credentials, form=form) as answer:
                document = read_document(answer)
        except SourceError as error:
            who = f"; the login of {login.origin} was shown" if login else ""
            raise replace(error, reason=f"{error.reason}{who}", headers={}, absent=False) from error
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise SourceError(f"{redact_url(realm)}: sent no token")
        return token


@dataclass(frozen=True, slots=True)
class Signed:
    """Opens a registry's URLs with what it asks for."""

    client: Client
    access: Access
    repository: str

    @contextlib.contextmanager
    def open(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        credentials: Mapping[str, str] | None = None,  # noqa: ARG002 (the registry's own are sent)
    ) -> Iterator[Answer]:
        """As `Client.open` does; a challenge is answered once."""
        with contextlib.ExitStack() as opened:
            try:
                answer = opened.enter_context(self._asked(url, headers))
            except SourceError as error:
                challenge = error.headers.get("www-authenticate")
                if challenge is None:
                    raise self._explained(error) from error
                try:
                    origin = self.access.answer(challenge, self.repository, self.client)
                except SourceError as without:
                    reason = f"{error.reason}: {without.reason}"
                    raise replace(without, reason=reason) from error
                try:
                    answer = opened.enter_context(self._asked(url, headers))
                except SourceError as again:
                    raise self._explained(again, origin) from again
            yield answer

    def _asked(
        self, url: str, headers: Mapping[str, str] | None
    ) -> contextlib.AbstractContextManager[Answer]:
        return self.client.open(url, headers, credentials=self.access.headers(self.repository))

    def _explained(self, error: SourceError, origin: str = "") -> SourceError:
        if "www-authenticate" in error.headers:
            told = f"refuses the login of {origin}" if origin else _wanting(self.access.url)
            return replace(error, reason=f"{error.reason}: {told}")
        if error.absent and error.headers.get("content-type", "").startswith("text/html"):
            reason = f"{error.reason} with a page for people: is it an OCI registry?"
            return replace(error, reason=reason, absent=False)
        return error


def read_document(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        SourceError: if it is none.
    """
    try:
        document = json.loads(answer.content(LARGEST_DOCUMENT))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        kind = answer.header("Content-Type") or "what is no JSON"
        raise SourceError(f"{redact_url(answer.url)}: answered {kind}: it is no OCI registry")
    return document


def _wanting(url: str) -> str:
    host = urlsplit(url).netloc
    return (
        f"{host} wants a login: 'docker login {host}' or 'oras login {host}' keeps one, or put it into .netrc or "
        "HEIMDALL_MIRROR_HEADER"
    )
