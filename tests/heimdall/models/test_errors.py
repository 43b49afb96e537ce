from __future__ import annotations

import pickle

import pytest

from heimdall.errors import HeimdallError
from heimdall.models.errors import (
    Attempt,
    IntegrityError,
    ManifestError,
    ModelError,
    ModelUnavailable,
    SourceError,
)
from heimdall.models.settings import SettingsError

ERRORS = [
    ManifestError("/m.json", "is missing"),
    IntegrityError("a.bin", "5 bytes", "4 bytes"),
    SourceError("answered 503", transient=True, unreachable=True, retry_after=3.0),
    ModelUnavailable(
        "m (standard)", "/models", (Attempt("github", "https://x", "answered 404"),), "Do this."
    ),
    SettingsError("HEIMDALL_FETCH", "later", "one of import, use, never"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_are_pickled_with_their_data(error: ModelError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)
    assert isinstance(copy, HeimdallError)


def test_an_attempt_names_its_place_once() -> None:
    assert (
        str(Attempt("github", "https://x/a", "https://x/a: answered 404"))
        == "github: https://x/a: answered 404"
    )
    assert (
        str(Attempt("mirror", "/srv/a.zip", "can't be read")) == "mirror: /srv/a.zip: can't be read"
    )


def test_unavailable_without_attempts_says_so() -> None:
    assert "no source is left to ask" in str(ModelUnavailable("m", "/models"))


def test_an_attempt_in_short() -> None:
    url = "https://u.example:8443/owner/repository/releases/download/v1/models.zip"
    attempt = Attempt("mirror", "https://u.example:8443", f"{url}: answered 404; {url}: no")
    assert attempt.brief == (
        "mirror: https://u.example:8443/…/models.zip: answered 404; https://u.example:8443/…/models.zip: no"
    )
    assert len(Attempt("index", "x", "y" * 5000).brief) < 310
