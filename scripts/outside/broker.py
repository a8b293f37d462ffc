"""The broker, as somebody meets it who has no account: MQTT 3.1.1, byte by byte."""

import secrets
import socket
import ssl

from .report import Wrong
from .wire import days_left, untrusted


def connect_packet(user=None, password=None):
    def text(value):
        return len(value).to_bytes(2, "big") + value

    payload = text(f"smoke-{secrets.token_hex(6)}".encode())
    flags = 0x02  # clean session
    if user:
        flags |= 0xC0
        payload += text(user.encode()) + text(password.encode())
    body = text(b"MQTT") + bytes([4, flags]) + (30).to_bytes(2, "big") + payload
    return b"\x10" + bytes([len(body)]) + body


def answer_to(connection, packet):
    """The return code of CONNACK; None if the connection was closed, or something else came."""
    try:
        connection.sendall(packet)
        got = b""
        while len(got) < 4:
            part = connection.recv(4 - len(got))
            if not part:
                return None
            got += part
    except (OSError, ssl.SSLError):
        # With TLS 1.3, a broker that wants a client's certificate says so only now.
        return None
    return got[3] if got[0] == 0x20 else None


class Broker:
    def __init__(self, host, port, timeout, ca_file=None, ca_text=None, insecure=False):
        self.host, self.port, self.timeout = host, port, timeout
        self.is_checked = not insecure and bool(ca_file or ca_text)
        self.context = ssl._create_unverified_context()
        if self.is_checked:
            self.context = ssl.create_default_context(cafile=ca_file, cadata=ca_text)

    def reach(self, port=None, timeout=None):
        return socket.create_connection((self.host, port or self.port), timeout=timeout or self.timeout)

    def handshake(self, least_days):
        try:
            plain = self.reach()
        except OSError as error:
            raise Wrong(f"{self.host}:{self.port} cannot be reached ({error})",
                        "is the broker running, and its port open in the firewall? --mqtt HOST:PORT names another") from None
        with plain:
            try:
                with self.context.wrap_socket(plain, server_hostname=self.host) as encrypted:
                    version = encrypted.version()
                    days = days_left(encrypted.getpeercert()) if self.is_checked else None
            except ssl.SSLCertVerificationError as error:
                raise untrusted(error, "--mqtt-ca") from None
            except OSError as error:
                raise Wrong(f"no TLS at {self.host}:{self.port} ({error})", "the listener needs certfile and keyfile") from None
        if days is None:
            return f"{version}; the certificate was not checked: --mqtt-ca FILE does"
        if days < least_days:
            raise Wrong(f"the certificate ends in {days} days", "renew it (docs/deployment.md, rotation)")
        return f"{version}, certificate valid for {days} more days"

    def plain_refused(self):
        with self.reach() as connection:
            if answer_to(connection, connect_packet()) is not None:
                raise Wrong(f"port {self.port} speaks MQTT without TLS", "passwords go in the clear: use deploy/mosquitto")
        if self.port == 1883:
            return "on this port"
        try:
            connection = self.reach(1883, min(self.timeout, 3))
        except OSError:
            return f"on port {self.port}; 1883 is closed"
        with connection:
            if answer_to(connection, connect_packet()) is not None:
                raise Wrong("port 1883 speaks MQTT without TLS", "close it to the outside: firewall, or no such listener")
        return f"on port {self.port}; 1883 speaks no MQTT"

    def stranger_refused(self):
        for user, password in ((None, None), ("backend", secrets.token_hex(8))):
            # What a stranger is told does not depend on whether the certificate is trusted here.
            with self.reach() as plain, ssl._create_unverified_context().wrap_socket(plain) as encrypted:
                if answer_to(encrypted, connect_packet(user, password)) == 0:
                    who = "with a wrong password" if user else "without an account"
                    raise Wrong(f"the broker lets in whoever comes {who}",
                                "allow_anonymous false, and the dynamic security plugin: use deploy/mosquitto")
        return "neither without an account nor with a wrong password"


def address(text, default_host):
    """HOST:PORT, HOST or :PORT."""
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        host, port = text, "8883"
    host = host.strip("[]") or default_host
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text} is no address of a broker; give HOST:PORT")
    return host, int(port)
