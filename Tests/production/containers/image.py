"""Makes an image of a Dockerfile: a folder with Debian's packages in it, where every RUN and COPY of its last stage was done."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import dockerfile
from .ignoring import Ignoring

MIRROR = "http://deb.debian.org"
SOURCES = [f"deb {MIRROR}/debian bookworm main", f"deb {MIRROR}/debian bookworm-updates main",
           f"deb {MIRROR}/debian-security bookworm-security main"]
# As in Debian's own slim image, which also has dpkg not wait for the disk.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
BASE = "debian:bookworm-slim"
OWN = re.compile(r"localhost/plantops/([a-z]+):")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Image:
    root: Path
    environment: dict = field(default_factory=lambda: {"PATH": PATH})
    user: str = "0:0"
    folder: str = "/"
    entrypoint: list = field(default_factory=list)
    command: list = field(default_factory=list)
    health: list = field(default_factory=list)
    stop_signal: str = "SIGTERM"
    # Instead of its folder, for an image that is played by this machine's own programs.
    mounts: list | None = None


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=300, **options)
    if done.returncode != 0:
        told = done.stdout[-4000:] + done.stderr[-4000:]
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{told}")
    return done.stdout


class Builder:
    """`provided` has what other stages build that is too much work for a test: the program, the dashboard; by file name."""

    def __init__(self, context, cache, provided):
        self.context, self.cache, self.provided = Path(context), Path(cache), provided
        self.ignored = Ignoring(self.context / ".dockerignore")
        self.cache.mkdir(parents=True, exist_ok=True)

    def base(self):
        """Debian's smallest system. A week old at most, so that security fixes come in."""
        root = self.cache / time.strftime("base-%G-%V")
        if not root.exists():
            with self.making(root) as new:
                excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
                run("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", *excluded,
                    "--dpkgopt=force-unsafe-io", "bookworm", new, *SOURCES)
                # As in Debian's image: a package that is installed starts nothing.
                policy = new / "usr/sbin/policy-rc.d"
                policy.write_text("#!/bin/sh\nexit 101\n")
                policy.chmod(0o755)
        return root

    def making(self, root):
        return Making(root, self.cache)

    def can(self, name):
        """Whether this Dockerfile stands on Debian alone."""
        base = dockerfile.parse((self.context / name).read_text())[-1].base
        return base == BASE or bool(OWN.match(base))

    def image(self, name):
        """Of this Dockerfile's last stage."""
        stages = dockerfile.parse((self.context / name).read_text())
        return self.stage(stages, stages[-1])

    def stage(self, stages, stage):
        parent = next((each for each in stages if each.name == stage.base), None)
        if parent:
            below = self.stage(stages, parent)
        elif own := OWN.match(stage.base):
            below = self.image(f"deploy/docker/{own[1]}.Dockerfile")
        elif stage.base == BASE:
            below = Image(self.base())
        else:
            raise RuntimeError(f"tests can only make images from {BASE}, not from {stage.base}")
        image = Image(self.cache / f"image-{self.key(stages, stage, below)}", dict(below.environment), below.user,
                      below.folder, below.entrypoint, below.command, below.health, below.stop_signal)
        if image.root.exists():
            os.utime(image.root)
            for each in stage.instructions:
                self.configure(image, each)
            return image
        with self.making(image.root) as new:
            run("cp", "-a", "--reflink=auto", f"{below.root}/.", new)
            done = Image(new, dict(below.environment), below.user, below.folder)
            for each in stage.instructions:
                self.configure(image, each)
                self.configure(done, each)
                if each.name == "RUN":
                    self.run(done, each)
                elif each.name in ("COPY", "ADD"):
                    self.copy(done, each, stages)
                elif each.name == "WORKDIR":
                    inside(new, each.text).mkdir(parents=True, exist_ok=True)
        return image

    def key(self, stages, stage, below):
        """Names everything that goes in, so that only what changed is made anew."""
        key = hashlib.sha256(repr((str(below.root), below.environment, stage)).encode())
        for each in stage.of("COPY"):
            for source, relative in self.files(each, stages):
                key.update(f"{relative} {source.lstat().st_mode:o} ".encode())
                if source.is_file():
                    with source.open("rb") as file:
                        key.update(hashlib.file_digest(file, "sha256").digest())
        return key.hexdigest()[:20]

    @staticmethod
    def configure(image, each):
        if each.name == "ENV":
            image.environment |= dockerfile.environment(each.text)
        elif each.name == "USER":
            image.user = each.text
        elif each.name == "WORKDIR":
            image.folder = each.text
        elif each.name == "ENTRYPOINT":
            image.entrypoint, image.command = each.command, []
        elif each.name == "CMD":
            image.command = each.command
        elif each.name == "STOPSIGNAL":
            image.stop_signal = each.text
        elif each.name == "HEALTHCHECK":
            text = each.text.partition("CMD")[2].strip()
            image.health = dockerfile.Instruction("CMD", text, {}, {}).command

    @staticmethod
    def run(image, each):
        variables = [word for pair in (image.environment | each.arguments).items() for word in ("--setenv", *pair)]
        owner = [] if image.user in ("0", "root", "0:0") else ["setpriv", *identity(image.root, image.user)]
        run("bwrap", "--bind", image.root, "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind", "/etc/resolv.conf",
            "/etc/resolv.conf", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--clearenv", *variables,
            "--chdir", image.folder, "--", *owner, *each.command)

    def files(self, each, stages):
        """What a COPY takes: pairs of a file or folder and its place below (or as) the destination."""
        *sources, _ = each.words
        other = each.flags.get("from")
        for source in sources:
            if other is None:
                found = sorted(self.context.glob(source.strip("/"))) if source.strip("./") else [self.context]
                found = [path for path in found if not self.ignored(path.relative_to(self.context))]
            elif Path(source).name in self.provided:
                found = [Path(self.provided[Path(source).name])]
            else:
                stage = next(stage for stage in stages if stage.name == other)
                found = [inside(self.stage(stages, stage).root, source)]
            if not found:
                raise RuntimeError(f"COPY {each.text}: {source} is not in the build context")
            for path in found:
                name = Path(source).name if other and path.is_file() else path.name
                if not path.is_dir():
                    yield path, Path(name)
                    continue
                for below in sorted(path.rglob("*")):
                    if other or not self.ignored(below.relative_to(self.context)):
                        yield below, below.relative_to(path)

    def copy(self, image, each, stages):
        *sources, place = each.words
        target = inside(image.root, place if place.startswith("/") else f"{image.folder}/{place}")
        taken = list(self.files(each, stages))
        folder = place.endswith(("/", ".")) or target.is_dir() or len(sources) > 1 or \
            len(taken) != 1 or taken[0][1].parts[1:] or taken[0][0].is_dir()
        owner = identity_of(image.root, each.flags.get("chown", "0:0"))
        mode = each.flags.get("chmod")
        if folder:
            make_folders(target, owner)
        for source, relative in taken:
            to = target / relative if folder else target
            make_folders(to.parent, owner)
            if source.is_dir() and not source.is_symlink():
                make_folders(to, owner)
                continue
            shutil.copy2(source, to, follow_symlinks=False)
            os.chown(to, *owner, follow_symlinks=False)
            if mode:
                to.chmod(int(mode, 8))


def make_folders(path, owner):
    if not path.is_dir():
        make_folders(path.parent, owner)
        path.mkdir(mode=0o755)
        path.chmod(0o755)
        os.chown(path, *owner)


def inside(root, path):
    """A path of an image as one of this machine, with links in the image followed there."""
    at = Path(root)
    for part in Path(path).parts:
        at = at if part == "/" else at / part
        if at.is_symlink() and at != Path(root):
            link = os.readlink(at)
            at = inside(root, link if link.startswith("/") else f"/{at.parent.relative_to(root)}/{link}")
    return at


def identity_of(root, owner):
    """The numbers of `user[:group]` in an image."""
    def number(word, file, column):
        if word.isdigit():
            return int(word)
        rows = [line.split(":") for line in inside(root, f"/etc/{file}").read_text().splitlines()]
        return next(int(row[column]) for row in rows if row[0] == word)

    user, _, group = owner.partition(":")
    user = number(user, "passwd", 2)
    if group:
        return user, number(group, "group", 2)
    rows = [line.split(":") for line in inside(root, "/etc/passwd").read_text().splitlines()]
    return user, next((int(row[3]) for row in rows if int(row[2]) == user), 0)


def identity(root, owner):
    """For setpriv."""
    user, group = identity_of(root, owner)
    return ["--reuid", str(user), "--regid", str(group), "--clear-groups"]


class Making:
    """A folder that gets its name only when it is complete."""

    def __init__(self, root, cache):
        self.root, self.cache = root, cache

    def __enter__(self):
        self.new = Path(tempfile.mkdtemp(prefix="new-", dir=self.cache))
        self.new.chmod(0o755)
        return self.new

    def __exit__(self, kind, *_):
        if not kind:
            try:
                self.new.rename(self.root)
            except OSError:
                # Another run has made the same one meanwhile.
                if not self.root.is_dir():
                    raise
        # Without effect where it has its name now.
        shutil.rmtree(self.new, ignore_errors=True)
