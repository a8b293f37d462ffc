"""Builds of the dashboard of a test's own: a copy of its sources, changed at will, and an nginx that serves it."""

import shutil
import subprocess
from contextlib import contextmanager
from urllib.parse import urlsplit

from support.nginx import Nginx
from support.stack import ROOT


class Build:
    def __init__(self, folder):
        self.folder, self.site = folder, folder / "frontend-dist"
        shutil.copytree(ROOT / "frontend", folder / "frontend")
        (folder / "scripts").mkdir()
        for name in ("build-frontend.sh", "render-template.sh"):
            shutil.copy(ROOT / "scripts" / name, folder / "scripts")

    def run(self, *arguments):
        return subprocess.run([self.folder / "scripts" / "build-frontend.sh", *arguments], capture_output=True, text=True)

    def build(self):
        done = self.run()
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def change(self, text, path="src/main.tsx"):
        """Appends it to one of the sources."""
        with open(self.folder / "frontend" / path, "a") as file:
            file.write(text)

    def files(self):
        """Path → content of everything that nginx would serve."""
        return {str(path.relative_to(self.site)): path.read_bytes() for path in self.site.rglob("*")
                if path.is_file() and not any(part.startswith(".") for part in path.relative_to(self.site).parts)}

    def assets(self):
        return {path for path in self.files() if path.startswith("assets/")}

    def current(self):
        """Of these, what the last build made; the others are of the one before."""
        return {path for path in (self.site / ".assets").read_text().split() if not path.endswith((".gz", ".txt"))}

    @contextmanager
    def served(self, stack):
        """Gives its address; `/api/` leads to the stack's backend."""
        with Nginx(upstream=Backend(stack), WEB_ROOT=self.site) as nginx:
            yield f"http://127.0.0.1:{nginx.port}"


class Backend:
    """Runs already, and goes on."""

    def __init__(self, stack):
        self.port = urlsplit(stack.settings["PLANTOPS_API_URL"]).port

    def close(self):
        pass
