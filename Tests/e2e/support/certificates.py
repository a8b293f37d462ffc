"""certs/make-certs.sh, and certificates that it would not make."""

import os
import subprocess

from .stack import ROOT

SCRIPT = ROOT / "certs" / "make-certs.sh"


def make(folder, *arguments, check=True, hosts=None):
    environment = {k: v for k, v in os.environ.items() if k != "CERT_HOSTS"}
    if hosts is not None:
        environment["CERT_HOSTS"] = hosts
    done = subprocess.run([SCRIPT, "--out", folder, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


def openssl(*arguments, check=True, given=""):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=30, input=given)
    assert not check or done.returncode == 0, done.stderr
    return done


def shown(certificate, *fields):
    """What openssl says of these fields, with single spaces."""
    return " ".join(openssl("x509", "-in", certificate, "-noout", *fields).stdout.split())


def verifies(folder, certificate, purpose, *checks):
    return openssl("verify", "-x509_strict", "-CAfile", folder / "ca.crt", "-purpose", purpose, *checks, certificate,
                   check=False).returncode == 0


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def sign(folder, file, days, usage="serverAuth", issuer=None, constraints="critical,CA:FALSE"):
    """A certificate and key of our own making at `file`.crt and .key, signed by the CA (or `issuer`)."""
    issuer = issuer or folder / "ca"
    extensions = file.with_name("ext")
    extensions.write_text(f"basicConstraints={constraints}\nextendedKeyUsage={usage}\nsubjectAltName=DNS:localhost\n"
                          "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
                          "keyUsage=critical,digitalSignature,keyCertSign\n")
    request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test",
                      "-keyout", f"{file}.key").stdout
    openssl("x509", "-req", "-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key", "-CAcreateserial", "-CAserial",
            file.with_name("serial"), "-days", str(days), "-extfile", extensions, "-out", f"{file}.crt", given=request)
    extensions.unlink()
    file.with_name("serial").unlink()
