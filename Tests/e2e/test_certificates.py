"""What certs/make-certs.sh makes: what ESP32 clients need of it, and when it makes anything anew. What the broker does
with it is in test_broker_tls.py."""

import re
import socket
import subprocess

import pytest

from support.certificates import contents, make, openssl, shown, sign, verifies


@pytest.fixture
def certs(tmp_path):
    """With some names of its own."""
    make(tmp_path / "certs", hosts="plants.example.org,*.greenhouse.example,203.0.113.7,2001:db8::5")
    return tmp_path / "certs"


# What the script makes.


def test_the_authority_may_sign_certificates_and_nothing_else(certs):
    extensions = shown(certs / "ca.crt", "-ext", "basicConstraints,keyUsage,extendedKeyUsage,subjectKeyIdentifier")
    assert "Basic Constraints: critical CA:TRUE, pathlen:0" in extensions
    assert "Key Usage: critical Certificate Sign, CRL Sign" in extensions
    assert "Subject Key Identifier" in extensions
    text = shown(certs / "ca.crt", "-text")
    assert "ASN1 OID: prime256v1" in text and "ecdsa-with-SHA256" in text and "Version: 3" in text
    assert openssl("x509", "-in", certs / "ca.crt", "-noout", "-checkend", str(3600 * 24 * 3640)).returncode == 0
    assert not verifies(certs, certs / "ca.crt", "sslserver"), "it is not itself a server"


def test_the_server_certificate_has_what_mbedtls_looks_for(certs):
    extensions = shown(certs / "server.crt", "-ext", "basicConstraints,keyUsage,extendedKeyUsage,authorityKeyIdentifier")
    assert "Basic Constraints: critical CA:FALSE" in extensions
    assert "Key Usage: critical Digital Signature, Key Encipherment" in extensions
    assert "Extended Key Usage: TLS Web Server Authentication" in extensions
    assert "Authority Key Identifier" in extensions
    text = shown(certs / "server.crt", "-text")
    assert "ASN1 OID: prime256v1" in text and "ecdsa-with-SHA256" in text and "Version: 3" in text
    within, beyond = (openssl("x509", "-in", certs / "server.crt", "-noout", "-checkend", str(days * 86400), check=False)
                      for days in (824, 826))
    assert (within.returncode, beyond.returncode) == (0, 1), "825 days, the most that browsers accept"


def test_no_two_certificates_have_the_same_serial_and_no_two_authorities_the_same_name(certs, tmp_path):
    make(tmp_path / "other")
    assert shown(certs / "ca.crt", "-subject") != shown(tmp_path / "other" / "ca.crt", "-subject")
    serials = [shown(folder / name, "-serial") for folder in (certs, tmp_path / "other") for name in ("ca.crt", "server.crt")]
    assert len(set(serials)) == 4 and all(len(serial) >= len("serial=") + 30 for serial in serials)


def test_the_server_is_known_by_every_name_and_address_of_this_machine(certs):
    server = certs / "server.crt"
    host = socket.gethostname()
    for name in ("localhost", host, f"{host.split('.')[0]}.local", "plants.example.org", "north.greenhouse.example"):
        assert verifies(certs, server, "sslserver", "-verify_hostname", name), name
    addresses = [line.split()[3].partition("/")[0]
                 for line in subprocess.run(["ip", "-o", "addr", "show", "scope", "global"], capture_output=True,
                                            text=True).stdout.splitlines()
                 if not re.match(r"docker|br-|veth|virbr|cni|flannel|podman", line.split()[1]) and "temporary" not in line]
    for address in ["127.0.0.1", "::1", "203.0.113.7", "2001:db8::5", *addresses]:
        assert verifies(certs, server, "sslserver", "-verify_ip", address), address
    for check in (["-verify_hostname", "elsewhere.example"], ["-verify_ip", "198.51.100.1"]):
        assert not verifies(certs, server, "sslserver", *check)


def test_an_address_is_found_among_the_names_too_as_older_mbedtls_wants_it(certs):
    names = shown(certs / "server.crt", "-ext", "subjectAltName")
    for address in ("127.0.0.1", "203.0.113.7"):
        assert f"DNS:{address}" in names and f"IP Address:{address}" in names


def test_the_server_certificate_is_no_clients_and_no_authoritys(certs, tmp_path):
    assert verifies(certs, certs / "server.crt", "sslserver")
    assert not verifies(certs, certs / "server.crt", "sslclient")
    sign(certs, tmp_path / "forged", 10, issuer=certs / "server")
    assert openssl("verify", "-CAfile", certs / "ca.crt", "-untrusted", certs / "server.crt", tmp_path / "forged.crt",
                   check=False).returncode != 0


def test_the_authority_cannot_make_another_one(certs, tmp_path):
    sign(certs, tmp_path / "below", 10, constraints="critical,CA:TRUE")
    sign(certs, tmp_path / "leaf", 10, issuer=tmp_path / "below")
    done = openssl("verify", "-CAfile", certs / "ca.crt", "-untrusted", tmp_path / "below.crt", tmp_path / "leaf.crt",
                   check=False)
    assert done.returncode != 0 and "path length" in done.stderr


def test_keys_are_their_owners_alone(certs):
    make(certs, "--client", "backend")
    modes = {name: (certs / name).stat().st_mode & 0o777 for name in contents(certs)}
    assert {modes[name] for name in ("ca.key", "server.key", "clients/backend.key")} == {0o600}
    assert {modes[name] for name in ("ca.crt", "server.crt", "clients/backend.crt")} == {0o644}
    (certs / "server.key").chmod(0o644)
    make(certs)
    assert (certs / "server.key").stat().st_mode & 0o777 == 0o600, "and if they are not, they become it"


def test_running_it_again_changes_nothing(certs):
    make(certs, "--client", "backend")
    before = contents(certs)
    assert "nothing to do" in make(certs).stdout
    assert make(certs, "--quiet").stdout == ""
    assert "nothing to do" in make(certs, "--client", "backend").stdout
    assert contents(certs) == before


def test_renewing_makes_a_new_certificate_and_key_under_the_same_authority(certs):
    before = contents(certs)
    make(certs, "--renew")
    after = contents(certs)
    assert {name for name in before if before[name] != after[name]} == {"server.crt", "server.key"}
    assert verifies(certs, certs / "server.crt", "sslserver", "-verify_hostname", "plants.example.org"), "the names stay"


@pytest.mark.parametrize("days, renewed", [(29, True), (31, False)])
def test_a_certificate_is_renewed_in_its_last_month(certs, days, renewed):
    sign(certs, certs / "server", days)
    make(certs, "--client", "backend")
    sign(certs, certs / "clients" / "backend", days, usage="clientAuth")
    before = contents(certs)
    for arguments in ([], ["--client", "backend"]):
        assert ("less than 30 days" in make(certs, *arguments).stdout) == renewed
    after = contents(certs)
    changed = {"server.crt", "server.key", "clients/backend.crt", "clients/backend.key"} if renewed else set()
    assert {name for name in before if before[name] != after[name]} == changed


def test_names_are_remembered_until_they_are_forgotten(certs):
    before = (certs / "server.crt").read_bytes()
    make(certs)
    assert (certs / "server.crt").read_bytes() == before
    assert "names or addresses changed" in make(certs, hosts="other.example").stdout
    assert verifies(certs, certs / "server.crt", "sslserver", "-verify_hostname", "other.example")
    assert not verifies(certs, certs / "server.crt", "sslserver", "-verify_hostname", "plants.example.org")
    make(certs, hosts="")
    assert not verifies(certs, certs / "server.crt", "sslserver", "-verify_hostname", "other.example")


@pytest.mark.parametrize("hosts", ["evil.example,DNS:x", "a\nkeyUsage=critical,keyCertSign", "$(touch pwned)", "a b;c", "é"])
def test_a_name_that_is_none_gets_nothing_else_into_the_certificate(certs, hosts):
    make(certs, hosts=hosts, check=False)
    assert verifies(certs, certs / "server.crt", "sslserver", "-verify_hostname", "localhost")
    assert "Certificate Sign" not in shown(certs / "server.crt", "-text")
    assert not (certs / "pwned").exists()


def test_a_key_that_does_not_fit_is_replaced(certs, tmp_path):
    make(tmp_path / "other")
    (certs / "server.key").write_bytes((tmp_path / "other" / "server.key").read_bytes())
    assert "did not belong to its key" in make(certs).stdout
    for name in ("server.key", "server.crt"):
        (certs / name).write_bytes((tmp_path / "other" / name).read_bytes())
    assert "did not fit the CA" in make(certs).stdout
    assert verifies(certs, certs / "server.crt", "sslserver")


@pytest.mark.parametrize("missing", ["ca.crt", "ca.key"])
def test_half_an_authority_is_not_made_up_for(certs, missing):
    (certs / missing).unlink()
    before = contents(certs)
    done = make(certs, check=False)
    assert done.returncode == 65 and "only one of ca.crt and ca.key" in done.stderr
    assert contents(certs) == before


def test_a_client_certificate_is_for_clients_and_needs_no_server(tmp_path):
    folder = tmp_path / "certs"
    make(folder, "--client", "esp32-0.1_a")
    assert set(contents(folder)) == {"ca.crt", "ca.key", "clients/esp32-0.1_a.crt", "clients/esp32-0.1_a.key"}
    certificate = folder / "clients" / "esp32-0.1_a.crt"
    assert verifies(folder, certificate, "sslclient") and not verifies(folder, certificate, "sslserver")
    assert shown(certificate, "-subject") == "subject=O = PlantOps, CN = esp32-0.1_a"
    extensions = shown(certificate, "-ext", "basicConstraints,keyUsage,extendedKeyUsage")
    assert "Extended Key Usage: TLS Web Client Authentication" in extensions
    assert "Basic Constraints: critical CA:FALSE" in extensions and "Key Usage: critical Digital Signature" in extensions
    before = contents(folder)
    make(folder, "--client", "esp32-0.1_a", "--renew")
    changed = {name for name, data in contents(folder).items() if before[name] != data}
    assert changed == {"clients/esp32-0.1_a.crt", "clients/esp32-0.1_a.key"}


@pytest.mark.parametrize("name", ["../server", "a/b", "", ".hidden", "-renew", "a b", "a\nb", "x" * 65, "ä", "a/CN=b"])
def test_a_clients_name_must_be_plain(tmp_path, name):
    assert make(tmp_path, "--client", name, check=False).returncode != 0
    assert list(tmp_path.iterdir()) == []
