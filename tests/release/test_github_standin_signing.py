from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.github_standin.signing import SignatureRefused, Signer

pytestmark = pytest.mark.slow

NOW = 1_800_000_000.0
SIGNER = Signer(b"secret")
TEXTS = st.text(st.characters(codec="utf-8"))
PARAMETERS = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda n: n not in {"se", "sig"}),
    TEXTS,
)


def signed(path: str, parameters: dict[str, str], *, lifetime: float = 60) -> dict[str, str]:
    return dict(
        parse_qsl(SIGNER.sign(path, parameters, expires=NOW + lifetime), keep_blank_values=True)
    )


@given(TEXTS, PARAMETERS)
def test_what_was_signed_is_accepted_with_its_parameters(
    path: str, parameters: dict[str, str]
) -> None:
    query = signed(path, parameters)
    SIGNER.check(path, query, now=NOW)
    assert parameters.items() <= query.items()


@given(PARAMETERS, st.data())
def test_no_parameter_can_be_changed_added_or_left_out(
    parameters: dict[str, str], data: st.DataObject
) -> None:
    query = signed("/path", parameters)
    name = data.draw(st.sampled_from(sorted(query)))
    changes = [
        {**query, name: query[name] + "x"},
        {**query, name + "x": ""} if name + "x" not in query else {},
        {key: value for key, value in query.items() if key != name},
    ]
    for changed in changes:
        with pytest.raises(SignatureRefused, match="did not match"):
            SIGNER.check("/path", changed, now=NOW)


def test_a_signature_is_for_one_path() -> None:
    with pytest.raises(SignatureRefused, match="did not match"):
        SIGNER.check("/other", signed("/path", {}), now=NOW)


def test_another_secret_signs_otherwise() -> None:
    with pytest.raises(SignatureRefused, match="did not match"):
        Signer(b"other").check("/path", signed("/path", {}), now=NOW)


def test_a_signature_ends_with_its_second() -> None:
    query = signed("/path", {}, lifetime=60)
    SIGNER.check("/path", query, now=NOW + 59.9)
    with pytest.raises(SignatureRefused, match=r"time frame: it ended at 2027-01-15T08:01:00Z"):
        SIGNER.check("/path", query, now=NOW + 60)
