"""A Sigstore instance of the tests' own: authority, transparency logs, and attestations as GitHub's action makes them.

What it makes passes sigstore's real library, which takes its keys from the cache in the home of whoever runs it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import platformdirs
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

ISSUER = "https://token.actions.githubusercontent.com"
PREDICATE = "https://slsa.dev/provenance/v1"
_INSTANCE = "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"
_FULCIO = "1.3.6.1.4.1.57264.1."
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class SigstoreInstance:
    """Its keys are made anew each time."""

    authority: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    certificates: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    signatures: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    now: datetime = field(default_factory=_now)

    def trust(self) -> Path:
        """Let sigstore's library believe this instance, as long as it can't have news of the real one.

        Returns:
            Where the keys are: in the cache of whoever's home it is now.
        """
        cache = platformdirs.user_cache_path("sigstore-python", "sigstore")
        path = cache / "tuf" / _INSTANCE / "trusted_root.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.trusted_root))
        return path

    @property
    def trusted_root(self) -> dict[str, Any]:
        since = {"start": "2020-01-01T00:00:00Z"}
        root = _base64(self._root().public_bytes(Encoding.DER))
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self.signatures, since)],
            "ctlogs": [_log(self.certificates, since)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "tests", "commonName": "authority"},
                    "certChain": {"certificates": [{"rawBytes": root}]},
                    "validFor": since,
                }
            ],
        }

    def attest(
        self,
        *digests: str,
        repository: str = "owner/repository",
        tag: str = "v1",
        run_in: str | None = None,
        workflow: str = ".github/workflows/release.yml",
        issuer: str = ISSUER,
        predicate: str = PREDICATE,
    ) -> bytes:
        """A bundle that says that a workflow made files with these sha256.

        Args:
            repository: whose workflow it is.
            tag: at which it was run.
            run_in: the repository that ran it; default: the same.
        """
        home, ref = f"https://github.com/{repository}", f"refs/tags/{tag}"
        key = _key()
        certificate = self._certificate(
            key.public_key(),
            f"{home}/{workflow}@{ref}",
            {8: issuer, 12: f"https://github.com/{run_in or repository}", 14: ref},
        )
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": digest[:8], "digest": {"sha256": digest}} for digest in digests],
            "predicateType": predicate,
            "predicate": {},
        }
        payload, kind = json.dumps(statement).encode(), "application/vnd.in-toto+json"
        signature = _sign(key, f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
        bundle = {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": _base64(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [self._entry(certificate, payload, signature)],
            },
            "dsseEnvelope": {
                "payload": _base64(payload),
                "payloadType": kind,
                "signatures": [{"sig": _base64(signature)}],
            },
        }
        return json.dumps(bundle).encode()

    def _entry(
        self, certificate: x509.Certificate, payload: bytes, signature: bytes
    ) -> dict[str, Any]:
        """The only entry of a transparency log, with proof and promise."""
        verifier = _base64(certificate.public_bytes(Encoding.PEM))
        digest = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
        spec = {
            "envelopeHash": digest,
            "payloadHash": digest,
            "signatures": [{"signature": _base64(signature), "verifier": verifier}],
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        log, seconds = _identity(self.signatures), int(self.now.timestamp())
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"log.tests\n1\n{_base64(root)}\n"
        signed = _base64(log[:4] + _sign(self.signatures, note.encode()))
        promised = {
            "body": _base64(body),
            "integratedTime": seconds,
            "logID": log.hex(),
            "logIndex": 0,
        }
        promise = _sign(self.signatures, _canonical(promised))
        return {
            "logIndex": "0",
            "logId": {"keyId": _base64(log)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {"signedEntryTimestamp": _base64(promise)},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _base64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n— log.tests {signed}\n"},
            },
            "canonicalizedBody": _base64(body),
        }

    def _root(self) -> x509.Certificate:
        key = self.authority.public_key()
        return (
            self._builder(key, days=3650)
            .subject_name(_NAME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
            .sign(self.authority, SHA256())
        )

    def _certificate(
        self, key: ec.EllipticCurvePublicKey, identity: str, claims: dict[int, str]
    ) -> x509.Certificate:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        builder = (
            self._builder(key, days=1)
            .subject_name(x509.Name([]))
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(names, critical=True)
        )
        for number, claim in claims.items():
            text = claim.encode()
            oid = x509.ObjectIdentifier(f"{_FULCIO}{number}")
            value = b"\x0c" + _length(text) + text
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        precertificate = builder.sign(self.authority, SHA256())
        scts = self._promised(precertificate.tbs_certificate_bytes)
        value = b"\x04" + _length(scts) + scts
        listed = x509.UnrecognizedExtension(_SCTS, value)
        return builder.add_extension(listed, critical=False).sign(self.authority, SHA256())

    def _builder(self, key: ec.EllipticCurvePublicKey, *, days: int) -> x509.CertificateBuilder:
        authority = self.authority.public_key()
        return (
            x509.CertificateBuilder()
            .issuer_name(_NAME)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=days))
            .not_valid_after(self.now + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False
            )
        )

    def _promised(self, content: bytes) -> bytes:
        """A list of one signed certificate timestamp (RFC 6962)."""
        milliseconds = int(self.now.timestamp()) * 1000
        entry = _identity(self.authority) + len(content).to_bytes(3, "big") + content
        signed = struct.pack("!BBQH", 0, 0, milliseconds, 1) + entry + b"\0\0"
        signature = _sign(self.certificates, signed)
        log = _identity(self.certificates)
        timestamp = b"\0" + log + struct.pack("!QHBBH", milliseconds, 0, 4, 3, len(signature))
        timestamp += signature
        return struct.pack("!HH", len(timestamp) + 2, len(timestamp)) + timestamp


def _usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in names for name in _USAGES})


def _log(key: ec.EllipticCurvePrivateKey, since: dict[str, str]) -> dict[str, Any]:
    raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "baseUrl": "https://log.tests",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _base64(raw),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": since,
        },
        "logId": {"keyId": _base64(_identity(key))},
    }


def _identity(key: ec.EllipticCurvePrivateKey) -> bytes:
    raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(raw).digest()


def _sign(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    return key.sign(content, ec.ECDSA(SHA256()))


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _length(content: bytes) -> bytes:
    """A DER length."""
    count = len(content)
    return bytes([count]) if count < 128 else bytes([0x81, count])
