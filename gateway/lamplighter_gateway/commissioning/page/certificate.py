"""The page's own certificate, made once; a phone is shown its fingerprint, there is nobody who could vouch for it."""

import datetime as dt
import hashlib
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FILE_NAME: Final = "page.pem"
# A cabinet's clock may be wrong when this is made: it holds from long ago until the hardware is scrapped.
BEGINS: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
ENDS: Final = dt.datetime(2049, 12, 31, tzinfo=dt.UTC)
_PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server shows, and the SHA-256 of it for people to compare."""

    context: ssl.SSLContext
    fingerprint: str


def certificate(folder: Path, gateway: str) -> Certificate:
    """The certificate in the data folder, made where there is none.

    Raises:
        OSError: the folder cannot be written, or what lies there is no certificate (ssl.SSLError is one).
    """
    path = folder / FILE_NAME
    if not path.exists():
        _write(path, _made(gateway))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(path)
    return Certificate(context, fingerprint(path.read_text("ascii")))


def fingerprint(pem: str) -> str:
    """SHA-256 of the certificate in a file that also holds its key, as browsers write it."""
    begin = pem.index("-----BEGIN CERTIFICATE-----")
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[begin:])).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def _made(gateway: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, gateway)])
    names = dict.fromkeys((gateway, f"{gateway}.local", socket.gethostname(), "localhost"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    signed = builder.sign(key, hashes.SHA256())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()) + signed.public_bytes(encoding)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and readable by nobody else."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
