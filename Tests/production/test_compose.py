"""The compose files: accepted in every combination, and what they must say for an installation to be safe."""

import re
from pathlib import Path

import pytest

from conftest import BASE, DEVELOPMENT, PRODUCTION, PROFILES, resolved
from containers import compose, dockerfile, project
from support.stack import ROOT

COMBINATIONS = [(), ("monitoring",), ("backup",), PROFILES]
# Those that end.
JOBS = {"database-setup", "broker-setup", "migrate", "restore"}
SERVING = {"database", "certificates", "broker", "backend", "frontend"}
OURS = JOBS | SERVING - {"database"} | {"backup"}
# Megabytes and processors, and what is kept free for it.
LIMITS = {"database": (512, 0.5, 256), "broker": (128, 0.25, None), "backend": (512, 1.0, 256), "frontend": (128, 0.25, None)}


@pytest.mark.parametrize("profiles", COMBINATIONS, ids=lambda names: "+".join(names) or "no profile")
@pytest.mark.parametrize("files", [(BASE,), DEVELOPMENT, PRODUCTION], ids=lambda files: files[-1])
def test_every_combination_is_accepted(prepared, files, profiles):
    services = resolved(prepared, files, profiles)["services"]
    assert JOBS - {"restore"} | SERVING <= services.keys()


def test_a_mistake_is_refused(prepared, tmp_path):
    """So that the tests above can fail."""
    text = (prepared / project.DOCKER / BASE).read_text()
    (tmp_path / BASE).write_text(text.replace("services:", "services:\n  wrong: {imagine: 1}\n", 1))
    done = compose.config(tmp_path, BASE, environment_file=prepared / ".env.prod", check=False)
    assert done.returncode != 0 and "imagine" in done.stderr


def test_profiles_are_off_unless_asked_for(production):
    always = {name for name, service in production["services"].items() if not service.get("profiles")}
    assert always == JOBS - {"restore"} | SERVING


@pytest.mark.parametrize("name", LIMITS)
def test_memory_and_processors_are_limited(production, name):
    memory, processors, reserved = LIMITS[name]
    service = production["services"][name]
    assert compose.megabytes(service["mem_limit"]) == memory
    assert float(service["cpus"]) == processors
    if reserved:
        assert compose.megabytes(service["mem_reservation"]) == reserved


def test_nothing_runs_without_a_limit(production):
    for name, service in production["services"].items():
        assert compose.megabytes(service["mem_limit"]) <= 512 and float(service["cpus"]) <= 1, name


def test_only_the_dashboard_and_the_broker_are_published(production):
    published = {name: compose.ports(service) for name, service in production["services"].items() if service.get("ports")}
    grafana = published.pop("grafana")
    assert grafana == [("127.0.0.1:3000", 3000)]
    assert {(name, outside.removeprefix("0.0.0.0:")) for name, ports in published.items() for outside, _ in ports} == {
        ("frontend", "80"), ("frontend", "443"), ("broker", "8883")}
    for name, service in production["services"].items():
        assert service.get("network_mode") in (None, "none") and not service.get("privileged"), name


def test_development_is_published_to_this_machine_alone(prepared):
    for name, service in resolved(prepared, DEVELOPMENT)["services"].items():
        for outside, _ in compose.ports(service):
            assert outside.startswith("127.0.0.1:"), f"{name}: {outside}"


def test_the_network_inside_has_no_way_out(production):
    networks, services = production["networks"], production["services"]
    assert networks["inside"]["internal"] is True
    for name in ("broker-setup", "certificates"):
        assert services[name]["network_mode"] == "none", name
    for name in ("database", "database-setup", "migrate", "backup", "restore"):
        assert compose.networks(services[name]) == {"inside"}, name
    on = {network: {name for name, service in services.items() if network in compose.networks(service)}
          for network in networks}
    assert on["outside"] == {"backend"}
    assert on["edge"] == {"frontend", "broker"}
    assert not networks["outside"].get("internal")
    assert on["monitoring"] == {"prometheus", "grafana"}
    for name in ("edge", "monitoring"):
        masquerade = networks[name]["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"]
        assert str(masquerade).lower() == "false", f"a container could go out through {name}"


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_have_no_rights(production, name):
    service = production["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and not service.get("cap_add")
    assert any(re.fullmatch("no-new-privileges(:true)?", each) for each in service["security_opt"])
    assert service.get("user") in (None, "1000:1000"), "the image's own is 1000:1000"


def test_others_have_few_rights(production):
    for name in production["services"].keys() - OURS:
        service = production["services"][name]
        assert service["cap_drop"] == ["ALL"], name
        assert any(each.startswith("no-new-privileges") for each in service["security_opt"]), name
        assert not {"SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"} & set(service.get("cap_add") or []), name


def test_everything_comes_back_after_a_restart_of_the_machine(production):
    for name, service in production["services"].items():
        if name in JOBS:
            assert service.get("restart") in ("no", False), name
        else:
            assert service["restart"] == "always", name


def test_each_waits_until_what_it_needs_is_healthy(production):
    services = production["services"]

    def waits(name):
        """For whom, through others too."""
        own = services[name].get("depends_on") or {}
        return set(own).union(*(waits(other) for other in own))

    assert waits("migrate") >= {"database", "database-setup"}
    assert waits("backend") >= {"database", "migrate", "broker", "broker-setup", "certificates"}
    assert waits("frontend") >= {"backend", "certificates"}
    assert waits("backup") >= {"migrate"}
    assert waits("grafana") >= {"prometheus"}
    for name, service in services.items():
        for other, how in (service.get("depends_on") or {}).items():
            if not isinstance(how, dict):
                raise AssertionError(f"{name} does not say what it waits for in {other}")
            wanted = "service_completed_successfully" if other in JOBS else "service_healthy"
            assert how["condition"] == wanted, f"{name} waits for {other}: {how['condition']}"
    order = compose.in_order(services)
    assert order.index("migrate") < order.index("backend") < order.index("frontend")


def test_everything_that_runs_says_whether_it_is_well(production):
    for name, service in production["services"].items():
        if name in JOBS:
            continue
        test = (service.get("healthcheck") or {}).get("test")
        if test is None and "build" in service:
            file = ROOT / project.DOCKER / Path(service["build"]["dockerfile"]).name
            last = dockerfile.parse(file.read_text())[-1]
            test = last.last("HEALTHCHECK") and last.last("HEALTHCHECK").text
        assert test and "NONE" not in test, f"{name} has no health check"


def test_logs_do_not_fill_the_disk(production):
    for name, service in production["services"].items():
        logging = service["logging"]
        assert logging["driver"] == "json-file", name
        assert compose.megabytes(logging["options"]["max-size"]) <= 50, name
        assert 1 <= int(logging["options"]["max-file"]) <= 10, name
    assert production["services"]["backend"]["environment"]["LOG_FORMAT"] == "json"


def test_no_source_is_mounted(production, prepared):
    """What is bound from the repository is configuration, and only to be read."""
    for name, service in production["services"].items():
        for volume in service.get("volumes") or []:
            source, _, rest = volume.partition(":") if isinstance(volume, str) else (
                volume.get("source", ""), ":", "x:ro" if volume.get("read_only") else "x")
            if source.startswith("/"):
                assert source.startswith(str(prepared / "deploy")), f"{name} mounts {source}"
                assert rest.endswith(":ro"), f"{name} may write to {source}"
            assert "docker.sock" not in source, name


def secrets_of(folder):
    files = (folder / project.DOCKER / "secrets").glob("*.txt")
    return {file.name: file.read_text().strip() for file in files if len(file.read_text().strip()) > 6}


def test_secrets_are_files_and_nowhere_else(production, prepared):
    secrets = secrets_of(prepared)
    assert len(secrets) >= 4
    shown = repr(production["services"])
    for name, secret in secrets.items():
        assert secret not in shown, f"{name} stands in the configuration"
        assert secret not in (prepared / ".env.prod").read_text(), f"{name} stands in .env.prod"
    for name, service in production["services"].items():
        for variable in service.get("environment") or {}:
            secret = re.search(r"PASSWORD|SECRET|_KEY$|WEBHOOK_URL$", variable)
            value = str(service["environment"][variable] or "")
            file = value.startswith(("/run/secrets/", "/var/lib/plantops/"))
            assert not secret or not value or file, f"{name}: {variable} is not taken from a file"
    used = {each if isinstance(each, str) else each["source"]
            for service in production["services"].values() for each in service.get("secrets") or []}
    assert used == production["secrets"].keys(), "each secret is used"
    ignored = (ROOT / ".gitignore").read_text()
    assert ".env.prod\n" in ignored and "secrets/" in ignored


def test_each_container_has_only_the_secrets_it_needs(production):
    of = {name: {each if isinstance(each, str) else each["source"] for each in service.get("secrets") or []}
          for name, service in production["services"].items()}
    assert of["certificates"] == of["frontend"] == of["prometheus"] == set()
    assert of["broker"] == of["broker-setup"] == {"MQTT_BACKEND_PASSWORD"}
    assert of["database"] == {"POSTGRES_SUPERUSER_PASSWORD"}
    assert of["grafana"] == {"GRAFANA_ADMIN_PASSWORD"}
    # The backend is no superuser of the database, nor is who makes backups.
    assert {name for name in of if "POSTGRES_SUPERUSER_PASSWORD" in of[name]} == {"database", "database-setup", "restore"}
    assert {name for name in of if "ENCRYPTION_KEY" in of[name]} == {"backend", "migrate", "backup", "restore"}


def test_images_are_pinned(production):
    for name, service in production["services"].items():
        image, _, tag = service["image"].rpartition(":")
        assert image and tag and "/" not in tag, f"{name}: {service['image']} has no version"
        if not image.startswith("localhost/plantops/"):
            assert re.search(r"\d+\.\d+\.\d+", tag), f"{name}: {service['image']} is not pinned by version"
    assert production["services"]["database"]["image"] == "timescale/timescaledb:2.28.3-pg15"


def test_only_one_service_can_replace_certificates(production):
    for name, service in production["services"].items():
        for each in service.get("volumes") or []:
            source, _, how = str(each).partition(":")
            if source.endswith("certificates") or source == "authority":
                # A restore brings the authority back.
                assert name in ("certificates", "restore") or how.endswith(":ro"), f"{name} may write to {source}"
    assert {name for name, service in production["services"].items()
            if any(str(each).startswith("authority:") for each in service.get("volumes") or [])} == {
                "certificates", "backup", "restore"}
