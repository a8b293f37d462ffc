"""A container as compose describes it, of bubblewrap instead of an engine: same command, same user, no capabilities but those
asked for, read-only root, volumes and tmpfs where compose has them and nowhere else."""

import json
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

from support.waiting import wait_until

from .image import identity_of, inside

ALL_OFF = ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]


def seconds(text, default):
    """Of a duration such as 1m30s."""
    units = {"h": 3600, "m": 60, "s": 1}
    number, total = "", 0.0
    for letter in str(text or ""):
        if letter in units:
            total += float(number) * units[letter]
            number = ""
        else:
            number += letter
    return total or default


class Box:
    def __init__(self, name, service, image, place):
        """`place` has `folder`, `volume(name)`, `secrets` (name → file) and `hosts` (a file)."""
        self.name, self.service, self.image, self.place = name, service, image, place
        self.folder = place.folder / "boxes" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = self.pid = None
        self.user = str(service.get("user") or image.user)
        self.uid, self.gid = identity_of(image.root, self.user)

    # What it is given.

    @property
    def environment(self):
        home = "/root" if self.uid == 0 else "/"
        own = {name: str(value) for name, value in (self.service.get("environment") or {}).items() if value is not None}
        return {"HOME": home, "HOSTNAME": self.name, **self.image.environment, **own}

    @property
    def command(self):
        def words(value):
            return shlex.split(value) if isinstance(value, str) else list(value)

        entrypoint, command = self.service.get("entrypoint"), self.service.get("command")
        rest = words(command) if command is not None else [] if entrypoint is not None else self.image.command
        return [str(word) for word in [*(words(entrypoint) if entrypoint is not None else self.image.entrypoint), *rest]]

    def tmpfs(self):
        """Pairs of a place and its mount options; the engine's own are always there."""
        wanted = self.service.get("tmpfs") or []
        for each in [wanted] if isinstance(wanted, str) else wanted:
            path, _, options = each.partition(":")
            yield path, ",".join(["noexec,nosuid,nodev", options or "mode=1777"])

    def volumes(self):
        """Triples of a folder or file of this machine, its place inside, and whether it may be written to."""
        for each in self.service.get("volumes") or []:
            if isinstance(each, str):
                source, path, *options = each.split(":")
                kind, writable = "bind" if source.startswith("/") else "volume", "ro" not in ",".join(options).split(",")
            else:
                kind, source, path = each["type"], each.get("source"), each["target"]
                writable = not each.get("read_only")
            if kind == "tmpfs":
                raise RuntimeError(f"{self.name}: write tmpfs as tmpfs")
            yield (Path(source) if kind == "bind" else self.place.volume(source, self.image, path)), path, writable
        for each in self.service.get("secrets") or []:
            each = {"source": each} if isinstance(each, str) else each
            target = each.get("target") or each["source"]
            yield self.place.secrets[each["source"]], target if target.startswith("/") else f"/run/secrets/{target}", False

    def capabilities(self):
        dropped = {str(each).upper() for each in self.service.get("cap_drop") or []}
        assert dropped == {"ALL"}, f"{self.name} keeps capabilities: {dropped}"
        return [f"CAP_{str(each).upper().removeprefix('CAP_')}" for each in self.service.get("cap_add") or []]

    def privileges(self, user=None):
        """For setpriv, as the very last thing before the command."""
        kept = self.capabilities()
        uid, gid = identity_of(self.image.root, user) if user else (self.uid, self.gid)
        options = ["--reuid", str(uid), "--regid", str(gid), "--clear-groups", *ALL_OFF]
        if kept and uid == 0:
            names = ",".join("+" + each.removeprefix("CAP_").lower() for each in kept)
            options[5:8] = [f"--bounding-set=-all,{names}", f"--inh-caps=-all,{names}", "--ambient-caps=-all"]
        return ["setpriv", *options]

    # Its life.

    def start(self, given=subprocess.DEVNULL):
        assert not self.alive, f"{self.name} runs"
        mounts, script = list(self.image.mounts or ["--ro-bind", str(self.image.root), "/"]), ["set -e"]
        mounts += ["--dev", "/dev", "--proc", "/proc"]
        for number, (path, options) in enumerate(self.tmpfs()):
            source = self.folder / f"tmpfs-{number}"
            source.mkdir(exist_ok=True)
            script.append(shlex.join(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(source)]))
            mounts += ["--bind", str(source), self.mount_point(path, folder=True)]
        for source, path, writable in sorted(self.volumes(), key=lambda each: each[1]):
            if not source.exists():
                raise RuntimeError(f"{self.name}: there is no {source}")
            mounts += ["--bind" if writable else "--ro-bind", str(source), self.mount_point(path, source.is_dir())]
        mounts += ["--ro-bind", str(self.place.hosts), self.mount_point("/etc/hosts", folder=False)]
        if self.service.get("read_only") and self.image.mounts:
            mounts += ["--remount-ro", "/"]
        variables = [word for pair in self.environment.items() for word in ("--setenv", *pair)]
        first = [] if self.service.get("init") else ["--as-pid-1"]
        network = ["--unshare-net"] if self.service.get("network_mode") == "none" else []
        reading, writing = os.pipe()
        script.append('exec "$@"')
        bubble = [
            "bwrap", *mounts, "--unshare-pid", "--unshare-ipc", "--unshare-uts",
            "--hostname", self.service.get("hostname") or self.name, *first, *network,
            "--die-with-parent", "--new-session", "--clearenv", *variables, "--info-fd", str(writing),
            "--chdir", self.service.get("working_dir") or self.image.folder, "--", *self.privileges(), *self.command]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(script), "sh", *bubble],
                stdin=given, stdout=log, stderr=log, pass_fds=[writing], env={"PATH": os.environ["PATH"]})
        os.close(writing)
        with os.fdopen(reading) as information:
            told = information.read()
        if not told:
            self.process.wait()
            raise RuntimeError(f"{self.name} did not start:\n{self.log()}")
        self.pid = json.loads(told)["child-pid"]
        wait_until(lambda: not self.alive or self.begun(), 20, f"{self.name}'s command runs", every=0.01)
        return self

    def begun(self):
        """Whether its own command runs, after what makes the container."""
        try:
            pid = self.pid if not self.service.get("init") else self.first()
            return Path(os.readlink(f"/proc/{pid}/exe")).name not in ("bwrap", "setpriv")
        except (FileNotFoundError, IndexError):
            return False

    def mount_point(self, path, folder):
        """Made in the image where it is missing, as the engine does."""
        if not self.image.mounts:
            at = inside(self.image.root, path)
            if folder:
                at.mkdir(parents=True, exist_ok=True)
            elif not at.exists():
                at.parent.mkdir(parents=True, exist_ok=True)
                at.touch()
        return path

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, timeout=120):
        """Its exit status."""
        return self.process.wait(timeout)

    def signal(self, number):
        os.kill(self.first() if self.service.get("init") else self.pid, number)

    def first(self):
        """Its command, below the process that the engine puts there."""
        return int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])

    def stop(self):
        """As the engine does it: asks, waits for the time of grace, kills. Returns the exit status and the seconds."""
        if not self.alive:
            return self.process.returncode if self.process else None, 0
        begun = time.monotonic()
        name = str(self.service.get("stop_signal") or self.image.stop_signal)
        self.signal(int(name) if name.isdigit() else getattr(signal, name if name.startswith("SIG") else f"SIG{name}"))
        try:
            return self.process.wait(seconds(self.service.get("stop_grace_period"), 10)), time.monotonic() - begun
        except subprocess.TimeoutExpired:
            self.kill()
            return 137, time.monotonic() - begun

    def kill(self):
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait(20)

    def restart(self):
        done = self.stop()
        self.start()
        return done

    # What it tells.

    @property
    def log_file(self):
        return self.folder / "log"

    def log(self):
        return self.log_file.read_text(errors="replace")

    def run(self, command, timeout=30, given=b"", user=None):
        """Like `docker exec`: with the container's own user (or another), environment and rights."""
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        done = subprocess.run(
            ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--ipc", "--uts", "--net", "--root", "--wd", "--",
             *self.privileges(user), "env", "-i", *settings, *command],
            capture_output=True, timeout=timeout, input=given)
        done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        return done

    @property
    def health_command(self):
        """Compose's own, or else the image's."""
        test = (self.service.get("healthcheck") or {}).get("test")
        if test is None:
            return self.image.health
        if isinstance(test, str):
            return ["/bin/sh", "-c", test]
        kind, *rest = test
        return {"CMD": rest, "CMD-SHELL": ["/bin/sh", "-c", *rest], "NONE": []}[kind]

    def check(self):
        """One run of the health check; killed after its timeout, as by the engine."""
        limit = seconds((self.service.get("healthcheck") or {}).get("timeout"), 30)
        try:
            return self.run(self.health_command, timeout=limit)
        except subprocess.TimeoutExpired as late:
            return subprocess.CompletedProcess(late.cmd, 124, "", f"not finished after {limit:g} s")

    @property
    def healthy(self):
        return self.alive and self.check().returncode == 0
