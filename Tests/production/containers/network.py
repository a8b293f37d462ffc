"""A network of this process' own: a loopback interface with the containers' addresses, and no way out."""

import ctypes
import ipaddress
import os
import subprocess
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def own_network(addresses):
    """This thread and all that it starts are in there until the end; ports never meet those of the machine."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        checked(libc.unshare(CLONE_NEWNET))
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            for address in addresses:
                subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
            yield
        finally:
            checked(libc.setns(before, CLONE_NEWNET))
    finally:
        os.close(before)


def addresses(network, services):
    """One for each service out of the containers' own network, its fixed one if it has one: what is let in by address is
    tried, too."""
    config = network["ipam"]["config"][0]
    hosts = ipaddress.ip_network(config.get("ip_range") or config["subnet"]).hosts()
    fixed = {name: ((service.get("networks") or {}).get("inside") or {}).get("ipv4_address")
             if isinstance(service.get("networks"), dict) else None for name, service in services.items()}
    return {name: address or str(next(hosts)) for name, address in fixed.items()}
