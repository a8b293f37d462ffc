"""Docker Compose for PlantOps' own scripts, on an installation of boxes: `up`, `stop`, `run`, `exec` and so on, with the
files, profiles and settings that the scripts name."""

import base64
import json
import os
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import compose
from .box import Box

HERE = Path(__file__).resolve().parent


class Engine:
    def __init__(self, installation, folder):
        """`folder` is the copy of the repository, after it was prepared."""
        self.installation, self.folder = installation, folder
        self.asked = []
        self.runs = 0
        self.place = tempfile.mkdtemp(prefix="plantops-engine-")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.place}/socket")
        self.listener.listen()

    def close(self):
        self.listener.close()
        Path(self.place, "socket").unlink()
        os.rmdir(self.place)

    def call(self, *command, timeout=240, given=None, check=True, **variables):
        """Runs a script to its end, and does meanwhile what it asks of `docker`. In this thread, so that everything that
        is started belongs to this process and its network."""
        environment = {"PATH": f"{HERE / 'bin'}:{os.environ['PATH']}", "HOME": "/nonexistent",
                       "PLANTOPS_TEST_ENGINE": f"{self.place}/socket", **variables}
        deadline = time.monotonic() + timeout
        with tempfile.TemporaryFile("w+") as output, open(given or os.devnull, "rb") as source:
            process = subprocess.Popen(
                [str(word) for word in command], cwd=self.folder, env=environment, stdin=source, stdout=output, stderr=output)
            try:
                while process.poll() is None:
                    assert time.monotonic() < deadline, f"{command} is not finished after {timeout} s"
                    if select.select([self.listener], [], [], 0.05)[0]:
                        self.serve(self.listener.accept()[0])
            finally:
                process.kill()
                process.wait()
            output.seek(0)
            text = output.read()
        assert not check or process.returncode == 0, f"{command} ended with {process.returncode}:\n{text}"
        return subprocess.CompletedProcess(command, process.returncode, text, "")

    def serve(self, connection):
        with connection:
            asked = json.loads(connection.makefile("rb").readline())
            try:
                code, output, errors = self.answer(asked["words"], base64.b64decode(asked["given"]))
            except Exception as error:  # The script that asked must hear of it; the test sees it in its output.
                code, output, errors = 1, "", f"{type(error).__name__}: {error}\n"
            connection.sendall(json.dumps({"code": code, "output": output, "errors": errors}).encode())

    def answer(self, words, given):
        assert words[0] == "compose", words
        words, files, profiles, settings = words[1:], [], [], None
        while words[0].startswith("-"):
            option, value, *words = words
            if option == "-f":
                files.append(value)
            elif option == "--profile":
                profiles.append(value)
            else:
                assert option == "--env-file", option
                settings = value
        name, *words = words
        if name == "version":
            return 0, "Docker Compose version v2\n", ""
        self.asked.append([name, *words])
        self.adopt(compose.config(self.folder, *files, profiles=profiles, environment_file=settings))
        return getattr(self, f"do_{name}")(words, given)

    def adopt(self, configuration):
        """What containers are made of from now on; those that run stay as they are."""
        known = self.installation.images
        self.on = [name for name in configuration["services"] if name in known]
        self.services = {name: configuration["services"][name] for name in self.on}
        self.installation.secrets = {name: Path(each["file"]) for name, each in configuration["secrets"].items()}

    def begin(self, name):
        installation = self.installation
        installation.services[name] = installation.boxes[name].service = self.services[name]
        installation.start(name)

    def do_up(self, words, _):
        names = [word for word in words if not word.startswith("-")] or self.on
        assert "--no-build" in words, "a missing image must not be built by the way"
        wanted = [name for name in compose.in_order({each: self.services[each] for each in self.needed(names)})]
        if "--force-recreate" in words:
            for name in reversed(wanted):
                self.installation[name].stop()
        for name in wanted:
            self.begin(name)
        return 0, "", ""

    def needed(self, names):
        found = set()
        for name in names:
            found |= {name} | self.needed(self.services[name].get("depends_on") or {})
        return found

    def do_stop(self, names, _):
        for name in reversed(compose.in_order({each: self.services[each] for each in self.needed(names or self.on)})):
            if name in (names or self.on):
                self.installation[name].stop()
        return 0, "", ""

    def do_down(self, _, __):
        return self.do_stop([], b"")

    def do_build(self, _, __):
        return 0, "", ""

    do_ps = do_logs = do_build

    def do_run(self, words, given):
        variables, with_others = {}, True
        while words[0].startswith("-"):
            option, *words = words
            if option == "-e":
                name, _, value = words.pop(0).partition("=")
                variables[name] = value
            elif option == "--no-deps":
                with_others = False
            else:
                assert option in ("--rm", "-T"), option
        name, *command = words
        service = dict(self.services[name])
        if with_others:
            self.do_up(["--no-build", *(service.get("depends_on") or {})], b"")
            for other, how in (service.get("depends_on") or {}).items():
                self.installation.await_condition(other, how["condition"])
        service["environment"] = {**(service.get("environment") or {}), **variables}
        if command:
            service["command"] = command
        self.runs += 1

        class Once:
            folder = self.installation.folder / f"run-{self.runs}"
            hosts, volume, secrets = self.installation.hosts, self.installation.volume, self.installation.secrets

        box = Box(name, service, self.installation.images[name], Once)
        with tempfile.TemporaryFile() as source:
            source.write(given)
            source.seek(0)
            code = box.start(source).wait(200)
        return code, box.log(), ""

    def do_exec(self, words, given):
        user = None
        while words[0].startswith("-"):
            option, *words = words
            if option == "-u":
                user = words.pop(0)
        name, *command = words
        box = self.installation[name]
        if not box.alive:
            return 1, "", f'service "{name}" is not running\n'
        done = box.run(command, timeout=120, given=given, user=user)
        return done.returncode, done.stdout, done.stderr
