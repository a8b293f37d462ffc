"""Throw-away machines: systemd on a copy of this system, with processes, network and mounts of its own."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = pathlib.Path(os.environ.get("PLANTOPS_BIN", REPOSITORY / ".build/release/plantops")).resolve()


def dashboard() -> pathlib.Path:
    built = REPOSITORY / "frontend-dist"
    return built if (built / "index.html").exists() else REPOSITORY / "deploy/web"


def reason_against() -> str | None:
    """Why no machine can be started here."""
    if os.geteuid() != 0:
        return "starting a machine in a namespace of its own needs root"
    if cgroups() is None:
        return "there is no cgroup2 hierarchy here"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "true"], capture_output=True, text=True
    )
    return f"no namespaces can be made here: {tried.stderr.strip()}" if tried.returncode else None


def cgroups() -> pathlib.Path | None:
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2":
            return pathlib.Path(fields[4])
    return None


class Machine:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.console = folder / "console"
        self.cgroup = cgroups() / f"plantops-test-{os.getpid()}"
        self.cgroup.mkdir()
        self.process = None
        try:
            self._boot()
        except BaseException:
            self.stop()
            raise

    def _boot(self) -> None:
        # Also when these tests are killed, nothing of it stays.
        unshare = "setpriv --pdeathsig KILL unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child"
        log = (self.folder / "boot.log").open("w")
        self.process = subprocess.Popen(
            ["sh", "-c", f'echo $$ >"$0/cgroup.procs" && exec {unshare} "$@"', self.cgroup,
             HERE / "boot.sh", self.folder, REPOSITORY, PROGRAM, dashboard()],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )
        deadline = time.monotonic() + 90
        state = ""
        while state not in ("running", "degraded"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the machine did not start ({state}):\n{self.told()}")
            # Asked again: until systemd is there, nobody can be told to wait for it.
            time.sleep(0.2)
            if self.first_process() is not None:
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def told(self) -> str:
        return "".join(path.read_text(errors="replace") for path in (self.folder / "boot.log", self.console) if path.exists())

    def first_process(self) -> str | None:
        """The number of systemd's process, seen from outside."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children:
            return None
        name = pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip()
        return children[0] if name == "systemd" else None

    def command(self, *arguments) -> list[str]:
        enter = ["nsenter", "-t", self.first_process(), "-m", "-p", "-n", "-u", "-i", "-C"]
        clean = ["env", "-i", "-C/", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        return [*enter, *clean, *map(str, arguments)]

    def run(self, *arguments, check: bool = True, input: str | None = None, timeout: int = 120) -> subprocess.CompletedProcess:
        done = subprocess.run(
            self.command(*arguments), input=input, stdin=None if input is not None else subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def sh(self, script: str, **options) -> str:
        return self.run("bash", "-euo", "pipefail", "-c", script, **options).stdout

    def stop(self) -> None:
        if self.process is not None:
            # With the first process, the kernel ends all others and takes the mounts away.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        deadline = time.monotonic() + 20
        while self.cgroup.exists() and time.monotonic() < deadline:
            try:
                for folder in sorted((p for p in self.cgroup.rglob("*") if p.is_dir()), reverse=True):
                    folder.rmdir()
                self.cgroup.rmdir()
            except OSError:
                # The last processes are still going.
                time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)
