"""Servers with certificates as companies issue them, on machines with a store of authorities and without."""

from __future__ import annotations

import datetime
import importlib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from heimdall.models.errors import SourceError
from heimdall.models.transfer import tls
from heimdall.models.transfer.http import Client
from tests.support.servers import RunningServer, plain_mirror

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*tls.SYSTEM_VARIABLES, *tls.BUNDLE_VARIABLES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return authority


@pytest.fixture
def server(tmp_path: Path, authority: trustme.CA) -> Iterator[RunningServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    (tmp_path / "file").write_bytes(b"content")
    with plain_mirror(tmp_path, tls=context) as server:
        yield server


@pytest.fixture
def no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """As python.org's macOS and slim images are: OpenSSL looks where nothing is."""
    paths = ssl.get_default_verify_paths()._replace(
        cafile=cast("str", None), capath=cast("str", None)
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr(ssl.SSLContext, "set_default_verify_paths", lambda _: None)
    if tls.has_system_store():
        pytest.skip("there are always authorities here")


def get(url: str) -> bytes:
    client = Client()
    try:
        with client.open(url) as answer:
            return b"".join(answer.chunks())
    finally:
        client.close()


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    name: str,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(days=1),
        not_valid_after=now + datetime.timedelta(days=9),
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[RunningServer]:
    """An authority without key usage and key identifiers, its basic constraints not critical; in `company.pem`."""
    import ipaddress

    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    (tmp_path / "company.pem").write_bytes(
        _certificate(root, "Company", "Company", root, constraints)
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    private = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = tmp_path / "chain.pem"
    chain.write_bytes(private + _certificate(leaf, "leaf", "Company", root, names))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    (tmp_path / "file").write_bytes(b"content")
    with plain_mirror(tmp_path, tls=context) as server:
        yield server


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_company_authority_as_pip_and_curl_take_it(
    company: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    strict = ssl.create_default_context

    def as_python_3_13(*arguments: object, **options: object) -> ssl.SSLContext:
        context = strict(*arguments, **options)  # type: ignore[arg-type]
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", as_python_3_13)
    monkeypatch.setenv(variable, str(tmp_path / "company.pem"))
    assert get(f"{company.url}/file") == b"content"


def test_an_intermediate_authority_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    intermediate = trustme.CA().create_child_ca()
    intermediate.cert_pem.write_to_path(str(tmp_path / "intermediate.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    intermediate.issue_cert("127.0.0.1").configure_cert(context)
    (tmp_path / "file").write_bytes(b"content")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "intermediate.pem"))
    with plain_mirror(tmp_path, tls=context) as server:
        assert get(f"{server.url}/file") == b"content"


@pytest.mark.usefixtures("no_store")
@pytest.mark.parametrize("missing", [(), ("truststore",), ("truststore", "certifi")])
def test_without_a_store_a_packages_authorities_are_trusted(
    server: RunningServer,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: tuple[str, ...],
) -> None:
    """pip's own copies are the last resort."""
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
        if "certifi" not in missing:
            monkeypatch.setitem(sys.modules, f"pip._vendor.{name}", None)
    carrier = importlib.import_module("pip._vendor.certifi" if "certifi" in missing else "certifi")
    monkeypatch.setattr(carrier, "where", lambda: str(tmp_path / "ca.pem"))
    assert get(f"{server.url}/file") == b"content"


@pytest.mark.usefixtures("no_store")
def test_without_any_authority_the_error_says_so(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("truststore", "certifi"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, f"pip._vendor.{name}", None)
    with pytest.raises(SourceError, match=r"TLS failed.*this machine has no certificate authorit"):
        get(f"{server.url}/file")


@pytest.mark.parametrize(
    ("name", "begins", "ends", "told"),
    [
        ("127.0.0.1", 1, 2, r"not yet valid.*; this machine's clock says 20\d\d-"),
        ("127.0.0.1", -2, -1, r"expired.*; this machine's clock says 20\d\d-"),
        ("login.example", -1, 1, r"IP address mismatch.*; somebody else answers for this host"),
    ],
    ids=["not yet valid", "expired", "of another host"],
)
def test_what_is_no_authoritys_fault_is_told_otherwise(
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    begins: int,
    ends: int,
    told: str,
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    certificate = authority.issue_cert(
        name,
        not_before=now + datetime.timedelta(days=begins),
        not_after=now + datetime.timedelta(days=ends),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with (
        plain_mirror(tmp_path, tls=context) as server,
        pytest.raises(SourceError, match=told) as caught,
    ):
        get(f"{server.url}/file")
    assert "custom CA" not in caught.value.reason


@pytest.mark.parametrize("variable", tls.SYSTEM_VARIABLES)
def test_a_variable_that_names_nothing_is_in_the_error(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "/gone/ca.pem")
    with pytest.raises(
        SourceError, match=rf"TLS failed.*; {variable} names /gone/ca\.pem, which is not there"
    ):
        get(f"{server.url}/file")


@pytest.mark.parametrize("variable", tls.BUNDLE_VARIABLES)
def test_a_bundle_that_can_not_be_read_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "/gone/ca.pem")
    with pytest.raises(SourceError, match=rf"/gone/ca\.pem can't be read \({variable}\)"):
        get("https://127.0.0.1:9/x")


class _Keychain(ssl.SSLContext):
    """What truststore has on macOS: a context that asks the system."""


@pytest.mark.usefixtures("no_store")
def test_on_macos_the_keychain_comes_first_unless_a_file_is_named(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    keychain = ModuleType("truststore")
    keychain.SSLContext = _Keychain  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "truststore", keychain)
    context = tls.trusting_context()
    assert isinstance(context, _Keychain)
    assert not context.get_ca_certs(), "what the Keychain does not trust is not trusted by certifi"
    assert "have the Keychain trust its authority" in tls.complaint()
    for variable in ("SSL_CERT_FILE", *tls.BUNDLE_VARIABLES):
        with monkeypatch.context() as patch:
            patch.setenv(variable, str(tmp_path / "ca.pem"))
            assert not isinstance(tls.trusting_context(), _Keychain)
    for name in ("truststore", "pip._vendor.truststore"):
        monkeypatch.setitem(sys.modules, name, None)
    assert tls.trusting_context().get_ca_certs(), "certifi is what is left"
    assert "pip install truststore" in tls.complaint()


def test_where_there_is_a_store_no_package_is_imported() -> None:
    program = (
        "import sys; from heimdall.models.transfer.tls import has_system_store, trusting_context; trusting_context(); "
        "print(has_system_store(), sorted({'pip', 'certifi', 'truststore'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=900,
    )
    assert done.stdout in {"True []\n", "False ['certifi']\n", "False ['certifi', 'truststore']\n"}
