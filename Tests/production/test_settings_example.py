"""`.env.prod.example` against the configuration code and compose, and the script that fills it in."""

import re
import stat
import subprocess

import pytest

from conftest import PRODUCTION, PUBLIC_HOST, resolved
from containers import compose, project
from support.stack import ROOT

EXAMPLE = (ROOT / ".env.prod.example")


def known():
    """All settings of the program."""
    source = (ROOT / "Sources/plantops/SettingsNames.swift").read_text()
    names = re.search(r"static let known: Set<String> = \[(.*?)\]", source, re.DOTALL)[1]
    return set(re.findall(r'"([A-Z0-9_]+)"', names))


def read_by_the_program():
    """The names that the configuration code asks for, to hold the list itself against."""
    text = "\n".join(path.read_text() for path in (ROOT / "Sources/plantops").glob("*.swift"))
    asked = set(re.findall(r'\b(?:text|list|integer|boolean|choice|hexKeys?|llmAddress)\(\s*"([A-Z][A-Z0-9_]+)"', text))
    return {name for name in asked if not name.startswith("PLANTOPS_")}


def used_by_compose():
    files = sorted((ROOT / project.DOCKER).glob("*.yml"))
    text = "\n".join(line for file in files for line in file.read_text().splitlines() if not line.lstrip().startswith("#"))
    return set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", text))


def example():
    return project.assignments(EXAMPLE.read_text(), comments=True)


def test_the_list_of_settings_is_that_of_the_code():
    assert read_by_the_program() - known() == set()
    assert len(known()) > 30


def test_no_variable_is_missing():
    have = {name.removesuffix("_FILE") for name in example()}
    assert known() - have == set(), "the program knows these, the example does not"
    assert used_by_compose() - example().keys() == set(), "compose uses these, the example does not have them"


def test_no_variable_means_nothing():
    spare = {name for name in example() if name.removesuffix("_FILE") not in known()}
    files = [path for folder in (project.DOCKER, "deploy/backup") for path in (ROOT / folder).rglob("*")
             if path.is_file() and "secrets" not in path.parts]
    text = "\n".join(file.read_text(errors="replace") for file in files)
    assert {name for name in spare if not re.search(rf"\b{name}\b", text)
            and not re.search(rf"\b{name.removesuffix('_FILE')}\b", text)} == set(), "nobody reads these"


def test_each_variable_is_explained():
    """A comment stands above it, or above the group of lines it is in; a heading is enough where nothing is to be set."""
    explained = no_effect = False
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith("# ----"):
            no_effect = "no effect" in line
        elif not line.strip():
            explained = no_effect
        elif re.match(r"#\s?[A-Z][A-Z0-9_]*=|[A-Z]", line):
            assert explained, f"nothing is said of {line}"
        else:
            explained = True


def test_no_secret_is_in_the_example():
    for name, value in example().items():
        if re.search("PASSWORD$|KEY$|KEYS_OLD$|WEBHOOK_URL$", name):
            assert value == "" or value.startswith("/"), f"{name}={value}"


def test_every_setting_reaches_the_backend(prepared, tmp_path):
    """What stands in .env.prod arrives, or compose has an answer of its own."""
    folder = project.checkout(tmp_path / "copy")
    project.prepare(folder, PUBLIC_HOST=PUBLIC_HOST)
    file = folder / ".env.prod"
    plain = resolved(folder, PRODUCTION)["services"]["backend"]["environment"]
    asked = {name for name in known() if not re.search("PASSWORD|KEY|DATABASE_URL|WEBHOOK", name)}
    before = file.read_text()
    lost = []
    text = "\n".join(line for line in before.splitlines() if line.partition("=")[0] not in asked)
    file.write_text(text + "\n" + "".join(f"{name}=7{index}\n" for index, name in enumerate(sorted(asked))))
    backend = resolved(folder, PRODUCTION)["services"]["backend"]["environment"]
    for index, name in enumerate(sorted(asked)):
        if str(backend.get(name)) != f"7{index}" and not plain.get(name):
            lost.append(name)
    assert lost == [], "set in .env.prod, but the backend is not told"


# scripts/prepare-production.sh


def contents(folder):
    files = [folder / ".env.prod", *sorted((folder / project.DOCKER / "secrets").glob("*.txt"))]
    return {file.name: (file.read_bytes(), file.stat().st_mode, file.stat().st_mtime_ns) for file in files}


@pytest.fixture
def clone(tmp_path):
    return project.checkout(tmp_path / "clone")


def test_it_makes_everything(clone):
    told = project.prepare(clone, PUBLIC_HOST="plants.example.org").stdout
    assert "make prod-up" in told, "what to do next"
    settings = project.assignments((clone / ".env.prod").read_text())
    assert settings["PUBLIC_HOST"] == settings["PUBLIC_MQTT_HOST"] == "plants.example.org"
    assert settings["PUBLIC_URL"] == "https://plants.example.org"
    assert settings["ADMIN_EMAIL"] == "admin@plants.example.org"
    secrets = [file for file in (clone / project.DOCKER / "secrets").glob("*.txt") if file.stat().st_size]
    assert len(secrets) >= 4
    assert len({file.read_text() for file in secrets}) == len(secrets), "each is another"
    key = (clone / project.DOCKER / "secrets" / "ENCRYPTION_KEY.txt").read_text().strip()
    assert re.fullmatch("[0-9a-f]{64}", key)
    for file in secrets:
        assert len(file.read_text().strip()) >= 16
        assert file.read_text().strip() not in told, "what is printed is kept in terminals and logs"
    assert compose.config(clone / project.DOCKER, *PRODUCTION, environment_file=clone / ".env.prod")


def test_secrets_are_for_their_reader_alone(clone):
    project.prepare(clone, PUBLIC_HOST="plants.example.org")
    for file in (clone / project.DOCKER / "secrets").glob("*.txt"):
        status = file.stat()
        assert stat.S_IMODE(status.st_mode) & 0o037 == 0, f"{file.name}: {status.st_mode:o}"
        assert status.st_uid in (0, 1000)
    assert stat.S_IMODE((clone / project.DOCKER / "secrets").stat().st_mode) & 0o022 == 0
    settings = (clone / ".env.prod").stat()
    assert stat.S_IMODE(settings.st_mode) == 0o600 and settings.st_uid == 1000, "who reads the secrets reads the settings"


def test_a_second_time_changes_nothing(clone):
    project.prepare(clone, PUBLIC_HOST="plants.example.org")
    before = contents(clone)
    project.prepare(clone)
    assert contents(clone) == before
    done = project.prepare(clone, check=False, PUBLIC_HOST="other.example.org")
    assert done.returncode != 0 and "other.example.org" in done.stderr, "it must not seem to have been changed"
    assert contents(clone) == before


def test_what_is_there_is_kept(clone):
    """A secret of the operator's own, and settings edited by hand; what is missing is added."""
    project.prepare(clone, PUBLIC_HOST="plants.example.org")
    secrets = clone / project.DOCKER / "secrets"
    (secrets / "ADMIN_PASSWORD.txt").write_text("chosen by the operator\n")
    (secrets / "MQTT_BACKEND_PASSWORD.txt").unlink()
    with (clone / ".env.prod").open("a") as file:
        file.write("LOG_LEVEL=debug\n")
    edited = (clone / ".env.prod").read_bytes()
    project.prepare(clone)
    assert (secrets / "ADMIN_PASSWORD.txt").read_text() == "chosen by the operator\n"
    assert len((secrets / "MQTT_BACKEND_PASSWORD.txt").read_text().strip()) >= 16
    assert (clone / ".env.prod").read_bytes() == edited


@pytest.mark.parametrize("host", [None, "", "https://plants.example.org", "with space", "a;b"])
def test_a_host_that_cannot_be_is_refused(clone, host):
    done = project.prepare(clone, check=False, **({} if host is None else {"PUBLIC_HOST": host}))
    assert done.returncode not in (0, 126, 127)
    assert "PUBLIC_HOST" in done.stderr
    assert not (clone / ".env.prod").exists()


@pytest.mark.parametrize("setting", ["DATABASE_URL=postgresql://db.example.org/x", "POSTGRES_HOST=db.example.org"])
def test_a_database_elsewhere_is_left_alone(setting):
    done = subprocess.run(["env", "-i", "PATH=/usr/bin:/bin", setting, ROOT / project.DOCKER / "database/setup.sh"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "elsewhere" in done.stdout, done.stderr
