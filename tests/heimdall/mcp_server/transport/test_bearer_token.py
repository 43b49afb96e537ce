from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from heimdall.mcp_server.transport.bearer_token import Token, TokenError
from tests.support.places import DATA

SECRET = "a-secret-of-the-user-0123456789"


@pytest.fixture
def file(home: Path) -> Path:
    return home / DATA / "mcp-token"


def test_the_variable_is_taken_and_no_file_made(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.setenv("HEIMDALL_MCP_TOKEN", f" {SECRET} ")
    token = Token.obtain()
    assert token.matches(SECRET)
    assert token.origin == "$HEIMDALL_MCP_TOKEN"
    assert SECRET not in repr(token)
    assert not file.exists()


@pytest.mark.parametrize(
    "secret", ["", "short", "with blanks in it 0123456789", "ümläüts-0123456789-0123456789"]
)
def test_a_variable_that_is_no_secret_is_refused_unseen(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("HEIMDALL_MCP_TOKEN", secret)
    with pytest.raises(TokenError, match="at least 16 printable ASCII characters") as caught:
        Token.obtain()
    assert not secret or secret not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are no protection there")
def test_the_file_is_made_once_and_for_the_user_alone(file: Path) -> None:
    old = os.umask(0)
    try:
        with ThreadPoolExecutor(8) as threads:
            tokens = set(threads.map(lambda _: Token.obtain(), range(8)))
    finally:
        os.umask(old)
    assert len(tokens) == 1
    (token,) = tokens
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token.matches(file.read_text().strip())
    assert token.origin == str(file)
    assert len(token.secret) >= 43
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    for wrong in ("", token.secret[:-1], token.secret + "x", "ü", "x" * 100_000):
        assert not token.matches(wrong)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are no protection there")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_no_secret(file: Path, mode: int) -> None:
    secret = Token.obtain().secret
    file.chmod(mode)
    with pytest.raises(
        TokenError, match=r"Remove the file.*keeps no modes: set HEIMDALL_MCP_TOKEN"
    ) as caught:
        Token.obtain()
    assert secret not in str(caught.value)
    file.unlink()
    assert Token.obtain().secret != secret


def test_an_empty_file_is_explained(file: Path) -> None:
    Token.obtain()
    file.write_text("\n")
    with pytest.raises(TokenError, match="mcp-token has no token"):
        Token.obtain()
