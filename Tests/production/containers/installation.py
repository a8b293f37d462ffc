"""A whole installation: the services of a compose configuration, started in the order in which they wait for one another."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from support.waiting import wait_until

from . import compose
from .box import Box
from .image import PATH, Image, inside
from .network import addresses

HERE = Path(__file__).resolve().parent
# The newest; the image's own is 15, as is Debian 12's.
POSTGRES = max(Path("/usr/lib/postgresql").glob("[0-9]*"), key=lambda path: int(path.name), default=Path("/nonexistent"))
EXTENSIONS = Path("/usr/share/postgresql", POSTGRES.name, "extension")


def database_image(service):
    """The official image's part is played by the PostgreSQL of this machine, with TimescaleDB if it has that
    (PLANTOPS_TIMESCALE=0: without)."""
    mounts = ["--tmpfs", "/", "--ro-bind", "/usr", "/usr"]
    # Each by itself: those in between would be for root alone.
    for folder in ("etc", "tmp", "root", "run", "run/secrets", "docker-entrypoint-initdb.d", "var", "var/run",
                   "var/run/postgresql", "var/lib", "var/lib/postgresql", "var/lib/postgresql/data"):
        mounts += ["--perms", "0755", "--dir", f"/{folder}"]
    for name in ("bin", "sbin", "lib", "lib64"):
        mounts += ["--symlink", f"usr/{name}", f"/{name}"]
    for file in ("passwd", "group", "ld.so.cache", "localtime", "alternatives", "ssl", "nsswitch.conf"):
        mounts += ["--ro-bind-try", f"/etc/{file}", f"/etc/{file}"]
    if os.environ.get("PLANTOPS_TIMESCALE") == "0":
        mounts += ["--tmpfs", str(EXTENSIONS)]
        for file in EXTENSIONS.iterdir():
            if not file.name.startswith("timescaledb"):
                mounts += ["--ro-bind", str(file), str(EXTENSIONS / file.name)]
    entrypoint = "/usr/local/bin/docker-entrypoint.sh"
    mounts += ["--ro-bind", str(HERE / "database-image.sh"), "/docker-entrypoint.sh"]
    environment = {"PATH": f"{POSTGRES}/bin:{PATH}", "PG_MAJOR": POSTGRES.name, "PGDATA": "/var/lib/postgresql/data",
                   "LANG": "C.UTF-8"}
    assert service.get("entrypoint") in (None, ["docker-entrypoint.sh"], [entrypoint]), "tests know the image's own alone"
    return Image(Path("/"), environment, entrypoint=["/docker-entrypoint.sh"], command=["postgres"],
                 stop_signal="SIGINT", mounts=mounts)


class Installation:
    """Made of `configuration` (resolved by compose) with an image for each service; ends with the `with`."""

    def __init__(self, configuration, images):
        self.configuration, self.images = configuration, images
        self.services = configuration["services"]
        self.folder = Path(tempfile.mkdtemp(prefix="plantops-production-"))
        self.folder.chmod(0o755)
        self.addresses = addresses(configuration["networks"]["inside"], self.services)
        self.hosts = self.folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n" + "".join(
            f"{address} {name}\n" for name, address in self.addresses.items()))
        self.hosts.chmod(0o644)
        self.secrets = {name: Path(each["file"]) for name, each in (configuration.get("secrets") or {}).items()}
        self.order = []
        self.boxes = {name: Box(name, self.services[name], images[name], self) for name in self.services}

    def volume(self, name, image, path):
        """A folder; as long as it is empty it takes over what the image has there, with its owner."""
        folder = self.folder / "volumes" / name
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            return folder
        there = None if image.mounts else inside(image.root, path)
        if there and there.is_dir():
            subprocess.run(["cp", "-a", f"{there}/.", folder], check=True)
            status = there.stat()
            os.chown(folder, status.st_uid, status.st_gid)
            folder.chmod(status.st_mode & 0o7777)
        return folder

    def __getitem__(self, name):
        return self.boxes[name]

    def up(self, *names):
        """Starts them, and before them what they wait for, each as soon as its conditions hold."""
        wanted = set()

        def want(name):
            wanted.add(name)
            for other in self.services[name].get("depends_on") or {}:
                want(other)

        for name in names or self.services:
            want(name)
        for name in compose.in_order({each: self.services[each] for each in self.services if each in wanted}):
            self.start(name)
        return self

    def start(self, name):
        if self.boxes[name].alive:
            return
        for other, how in (self.services[name].get("depends_on") or {}).items():
            self.await_condition(other, how["condition"])
        self.order.append(name)
        self.boxes[name].start()

    def await_condition(self, name, condition, timeout=60):
        box = self.boxes[name]
        if condition == "service_completed_successfully":
            code = box.wait(timeout)
            assert code == 0, f"{name} ended with {code}:\n{box.log()}"
        elif condition == "service_healthy":
            self.await_health(name, timeout)
        else:
            assert condition == "service_started", condition

    def await_health(self, name, timeout=60):
        box = self.boxes[name]

        def check():
            if not box.alive:
                raise Ended(f"{name} ended with {box.process.returncode}:\n{box.log()[-4000:]}")
            done = box.check()
            assert done.returncode == 0, f"{done.stdout}{done.stderr}{box.log()[-1500:]}"
            return True

        wait_until(check, timeout, f"{name} is healthy", every=0.2)

    def down(self):
        for name in reversed(self.order):
            self.boxes[name].stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for box in self.boxes.values():
            box.kill()
        if os.environ.get("PLANTOPS_E2E_KEEP") != "1":
            shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self, lines=25):
        return "\n".join(f"--- {name}\n" + "\n".join(box.log().splitlines()[-lines:])
                         for name, box in self.boxes.items() if box.log_file.exists())


class Ended(Exception):
    """Not one of those for which waiting goes on."""
