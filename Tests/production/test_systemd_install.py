"""install.sh and remove.sh of deploy/systemd on a machine of their own, with a systemd of its own: what is refused, what
is installed, what a second run, an upgrade and a removal leave."""

import time

import pytest
from machines.plantops import HOST, INSTALL, REMOVE, SOURCES, api, install, main_process, refused, signed_in, wait_for

pytest_plugins = ["machines.fixtures"]

# Names, rights, owners and contents; without what other programs write while they run.
WHAT_THERE_IS = """
places=$(ls -d /etc /usr/local/sbin /usr/local/bin /opt/plantops /var/lib/plantops /var/backups /var/log/nginx 2>/dev/null) || true
{ find $places ! -type d -printf '%p %m %u %l\\n'; find $places -type f -print0 | xargs -0 sha256sum | awk '{ print $2, $1 }'
  ls -d /opt/* /var/lib/*; } | grep -vE '^/etc/(mtab|ld.so.cache) |mosquitto[.]db|/var/log/nginx/(access|error|plantops)[.]log ' | sort
"""


@pytest.fixture(scope="module")
def untouched(machine):
    """Every file of the machine before anything was installed."""
    machine.run(REMOVE, "--purge", "--yes")
    return machine.sh(WHAT_THERE_IS)


@pytest.fixture(scope="module")
def installed(machine, untouched):
    machine.run(INSTALL, "--host", HOST, "--email", "rosa@example.test", *SOURCES)
    return machine


# Before anything is installed.


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--prot", "1"], "unknown option --prot"),
        (["--host"], "--host needs a value"),
        (["--host", "two words"], "neither a name nor an address"),
        (["--https-port", "0"], "not a port number"),
        (["--mqtt-port", "443"], "are the same"),
        (["--email", "rosa"], "not an e-mail address"),
        (["--certificate", "/etc/hostname"], "go together"),
        (["--certificate", "/nowhere"], "cannot"),
    ],
)
def test_wrong_options_are_named(machine, untouched, options, word):
    told = refused(machine, INSTALL, *SOURCES, *options, status=64)
    assert word in told or word == "cannot" and "can be read" in told


def test_what_it_cannot_work_with_is_said(machine, untouched):
    assert "there is no program /nowhere" in refused(machine, INSTALL, "--program", "/nowhere")
    assert "no dashboard in /nowhere" in refused(machine, INSTALL, "--program", "/srv/program/plantops", "--dashboard", "/nowhere")
    machine.sh("echo no program >/tmp/text && chmod +x /tmp/text")
    assert "does not run here" in refused(machine, INSTALL, "--program", "/tmp/text", "--dashboard", "/srv/dashboard")
    ordinary = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    assert "needs root" in refused(machine, *ordinary, INSTALL, *SOURCES)
    assert "needs root" in refused(machine, *ordinary, REMOVE)
    other = "sed 's/^ID=.*/ID=fedora/; s/^PRETTY_NAME=.*/PRETTY_NAME=Fedora/' /etc/os-release >/tmp/other"
    command = f"{other}; mount --bind /tmp/other /etc/os-release; exec {INSTALL} {' '.join(SOURCES)}"
    assert "this is Fedora" in refused(machine, "unshare", "--mount", "bash", "-c", command)


def test_a_port_in_use_is_named_with_its_program(machine, untouched):
    machine.sh("systemd-run -q --unit=other python3 -m http.server --bind 127.0.0.1 443")
    wait_for(machine, "ss -Hltn 'sport = :443' | grep .")
    told = refused(machine, INSTALL, *SOURCES)
    machine.sh("systemctl stop other")
    assert "port 443 is in use by python3" in told and "--https-port" in told


def test_two_at_once_are_one_too_many(machine, untouched):
    done = machine.run("flock", "/run/plantops-install.lock", INSTALL, *SOURCES, check=False)
    assert done.returncode == 1 and "another install.sh" in done.stderr


def test_a_dry_run_does_nothing(machine, untouched):
    told = install(machine, "--dry-run").stdout
    assert "would make the user plantops" in told and "would start plantops.service" in told
    assert machine.sh(WHAT_THERE_IS) == untouched


def test_debians_broker_stays_where_somebody_uses_it(machine, untouched):
    machine.sh("systemd-run -q --unit=somebody mosquitto_sub -h 127.0.0.1 -p 1883 -t '#'")
    wait_for(machine, "ss -Htn state established 'sport = :1883' | grep .")
    told = install(machine, "--dry-run")
    machine.sh("systemctl stop somebody")
    assert "switch off Debian's own" not in told.stdout and "programs of this machine use" in told.stderr
    wait_for(machine, "! ss -Htn state established 'sport = :1883' | grep .")
    assert "would switch off Debian's own" in install(machine, "--dry-run").stdout


def test_a_site_that_somebody_made_of_the_welcome_page_stays(machine, untouched):
    assert "would take nginx' welcome page away" in install(machine, "--dry-run").stdout
    assert "welcome page" not in install(machine, "--dry-run", "--http-port", "0").stdout, "it is not in the way"
    machine.sh("echo mine >/var/www/html/mine.html")
    told = refused(machine, INSTALL, *SOURCES)
    machine.sh("rm /var/www/html/mine.html")
    assert "port 80 is in use by nginx" in told and "--http-port" in told


def test_a_user_of_that_name_who_signs_in_is_not_taken(machine, untouched):
    machine.sh("useradd --shell /bin/bash plantops")
    told = refused(machine, INSTALL, *SOURCES)
    assert "nothing to do" in machine.run(REMOVE).stdout
    machine.run("id", "plantops")
    machine.sh("userdel plantops")
    assert "who can sign in" in told


# Installed.


def test_the_api_answers_over_https_by_name(installed):
    status, answer = api(installed, "ready")
    assert (status, answer["ready"]) == (200, True)
    headers = installed.sh(f"curl -sSI http://{HOST}/plants?x=1")
    assert f"Location: https://{HOST}/plants?x=1" in headers.replace("\r", "")
    page = installed.sh(f"curl -sS --cacert /etc/plantops/certs/ca.crt https://{HOST}/")
    assert "<title>" in page
    signed_in(installed)
    assert api(installed, "auth/me")[1]["role"] == "admin"


def test_a_device_enrolls_and_its_reading_arrives(installed):
    signed_in(installed)
    token = api(installed, "enrollment-tokens", {"label": "test"})[1]["token"]
    status, device = api(installed, "devices/register", {"mac_address": "02:00:00:00:00:01", "enrollment_token": token})
    assert status == 201, device
    assert device["mqtt_host"] == HOST and device["ca_certificate"] == installed.sh("cat /etc/plantops/certs/ca.crt")
    installed.run(
        "mosquitto_pub", "-h", device["mqtt_host"], "-p", device["mqtt_port"], "--cafile", "/etc/plantops/certs/ca.crt",
        "-u", device["mqtt_username"], "-P", device["mqtt_password"], "-i", device["device_id"], "-q", "1",
        "-t", f"devices/{device['device_id']}/telemetry", "-m", '{"soil_moisture": 41.5}',
    )
    path = f"https://{HOST}/api/devices/{device['device_id']}/telemetry/latest"
    latest = wait_for(installed, f"curl -sSf --cacert /etc/plantops/certs/ca.crt -b /tmp/cookies {path} 2>/dev/null")
    assert "41.5" in latest


def test_its_metrics_tell_of_the_process_though_it_sees_little_of_the_machine(installed):
    """The hardening hides most of /proc."""
    text = installed.sh("curl -sS http://127.0.0.1:8000/metrics")
    seen = dict(line.split() for line in text.splitlines() if line.startswith("process_"))
    assert all(float(value) > 0 for value in seen.values()), seen
    uptime = next(float(line.split()[1]) for line in text.splitlines() if line.startswith("plantops_uptime_seconds "))
    # The program takes a moment until it counts.
    assert 0 <= time.time() - uptime - float(seen["process_start_time_seconds"]) < 60, seen


def test_nothing_else_can_be_reached_from_outside(installed):
    listening = installed.sh("ss -Hltn | awk '{ print $4 }'").split()
    outside = {address.rsplit(":", 1)[1] for address in listening if not address.startswith(("127.", "[::1]"))}
    assert outside == {"80", "443", "8883"}
    # Debian's own broker, which nobody had set up, would have kept a plain listener.
    assert "1883" not in {address.rsplit(":", 1)[1] for address in listening}


def test_secrets_are_roots_alone(installed):
    assert installed.sh("stat -c '%a %U' /etc/plantops/secrets /etc/plantops/secrets/* | sort -u").split("\n")[:-1] == ["600 root", "700 root"]
    secrets = installed.sh("cat /etc/plantops/secrets/*")
    key = installed.sh("cat /etc/plantops/secrets/ENCRYPTION_KEY")
    assert key in secrets and len(key) == 64
    assert installed.run("grep", "-rqF", key, "/etc/systemd", "/opt/plantops", "/etc/nginx", "/var/lib/plantops", check=False).returncode == 1
    assert key not in installed.sh("systemctl show plantops; journalctl --no-pager; tr '\\0' '\\n' </proc/$(systemctl show -p MainPID --value plantops)/environ")


def test_the_second_run_changes_nothing(installed):
    roles = "setpriv --reuid=postgres --regid=postgres --init-groups psql -XqAtc 'SELECT rolname, rolpassword FROM pg_authid ORDER BY 1' -d postgres"
    units = [main_process(installed, unit) for unit in ("plantops", "plantops-mosquitto", "nginx")]
    files, accounts = installed.sh(WHAT_THERE_IS), installed.sh(f"cd / && {roles}")
    assert install(installed).stdout == f"nothing to do: PlantOps {installed.sh('/opt/plantops/current/bin/plantops --version').strip()} is installed\n"
    assert installed.sh(WHAT_THERE_IS) == files
    assert installed.sh(f"cd / && {roles}") == accounts
    assert [main_process(installed, unit) for unit in ("plantops", "plantops-mosquitto", "nginx")] == units
    # Also from the installed copy, which knows where its program and dashboard are.
    assert "nothing to do" in installed.run("/opt/plantops/current/deploy/systemd/install.sh").stdout


def test_an_upgrade_replaces_the_program_and_keeps_the_broker(installed):
    before = installed.sh("readlink /opt/plantops/current")
    backend, broker = main_process(installed, "plantops"), main_process(installed, "plantops-mosquitto")
    # A program that is another one by its bytes, and a dashboard with one file more.
    installed.sh("cp /srv/program/plantops /tmp/newer && echo >>/tmp/newer && cp -r /srv/dashboard /tmp/dashboard && echo 1 >/tmp/dashboard/new.txt")
    told = installed.run(INSTALL, "--program", "/tmp/newer", "--dashboard", "/tmp/dashboard").stdout
    assert "restart plantops.service" in told
    assert main_process(installed, "plantops") != backend and main_process(installed, "plantops-mosquitto") == broker
    assert installed.sh(f"curl -sS --cacert /etc/plantops/certs/ca.crt https://{HOST}/new.txt") == "1\n"
    assert "deactivat" not in installed.sh("systemctl is-active plantops")
    installed.run("cmp", "/tmp/newer", "/opt/plantops/current/bin/plantops")
    signed_in(installed)

    assert "back to" in installed.run("plantopsctl", "rollback").stdout
    assert installed.sh("readlink /opt/plantops/current") == before
    assert api(installed, "ready")[0] == 200
    assert "nothing to do" in install(installed).stdout


def test_other_options_are_taken_over_and_remembered(installed):
    told = install(installed, "--api-port", "8010", "--http-port", "0").stdout
    assert "restart plantops.service" in told
    assert api(installed, "ready")[0] == 200
    wait_for(installed, f"! curl -s http://{HOST}/")
    assert "nothing to do" in install(installed).stdout
    install(installed, "--api-port", "8000", "--http-port", "80")
    assert installed.sh(f"curl -sS -o /dev/null -w '%{{http_code}}' http://{HOST}/") == "301"


def test_additions_to_nginx_are_taken_over_or_refused(installed):
    installed.sh("echo 'add_header X-Mine yes always;' >/etc/plantops/nginx/mine.conf")
    assert "tell nginx" in install(installed).stdout
    assert "x-mine: yes" in installed.sh(f"curl -sSI --cacert /etc/plantops/certs/ca.crt https://{HOST}/manifest.webmanifest")
    installed.sh("echo 'add_haeder X-Mine no;' >/etc/plantops/nginx/mine.conf")
    told = refused(installed, INSTALL, *SOURCES)
    assert "add_haeder" in told and "nginx refuses the configuration" in told
    assert api(installed, "ready")[0] == 200
    installed.sh("rm /etc/plantops/nginx/mine.conf")
    install(installed)
    assert "nothing to do" in install(installed).stdout


def test_own_settings_and_anothers_certificate_stay(installed):
    installed.sh("echo 'ENROLLMENT_MODE=\"approval\"' >>/etc/plantops/plantops.env")
    installed.sh(f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN={HOST} "
                 f"-addext subjectAltName=DNS:{HOST} -keyout /etc/ssl/private/given.key -out /etc/ssl/certs/given.crt 2>/dev/null")
    install(installed, "--certificate", "/etc/ssl/certs/given.crt", "--certificate-key", "/etc/ssl/private/given.key")
    assert "true" in installed.sh(f"curl -sS --cacert /etc/ssl/certs/given.crt https://{HOST}/api/ready")
    assert "nothing to do" in install(installed).stdout
    assert "approval" in installed.sh("tail -n 1 /etc/plantops/plantops.env")
    install(installed, "--own-certificate")
    assert api(installed, "ready")[0] == 200
    installed.sh("sed -i '$d' /etc/plantops/plantops.env; rm /etc/ssl/private/given.key /etc/ssl/certs/given.crt")


# And taken away again.


def test_removal_leaves_the_data_and_a_new_installation_finds_it(installed, untouched):
    data = ("/etc/plantops", "/var/lib/plantops", "/var/backups/plantops")
    assert "would remove plantops.service" in installed.run(REMOVE, "--dry-run").stdout
    assert api(installed, "ready")[0] == 200
    # As in a checkout in /opt, which is nobody's to delete.
    installed.sh("mkdir /opt/plantops/docs && echo mine >/opt/plantops/docs/mine")
    told = installed.run(REMOVE).stdout
    assert "The data stays" in told
    assert installed.sh("find /opt/plantops -type f") == "/opt/plantops/docs/mine\n"
    installed.sh("rm -r /opt/plantops")
    left = [
        line for line in without_databases(installed.sh(WHAT_THERE_IS))
        if line not in data and not line.startswith(tuple(f"{folder}/" for folder in data))
    ]
    assert left == without_databases(untouched)
    assert installed.run("id", "plantops", check=False).returncode != 0
    assert installed.sh("systemctl is-active mosquitto nginx").split() == ["active", "active"]
    assert "Welcome to nginx" in installed.sh("curl -sS http://127.0.0.1/")
    assert "nothing to do" in installed.run(REMOVE).stdout

    install(installed)
    signed_in(installed)
    assert api(installed, "devices")[1]["total"] == 1


def test_purging_asks_and_then_leaves_nothing(installed, untouched):
    told = refused(installed, REMOVE, "--purge")
    assert "--yes" in told and api(installed, "ready")[0] == 200
    installed.run(REMOVE, "--purge", "--yes")
    assert without_databases(installed.sh(WHAT_THERE_IS)) == without_databases(untouched)
    databases = "cd / && setpriv --reuid=postgres --regid=postgres --init-groups psql -XqAt -d postgres -c"
    assert installed.sh(f"{databases} 'SELECT datname FROM pg_database ORDER BY 1'").split() == ["postgres", "template0", "template1"]
    assert installed.sh(f"{databases} \"SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'\"").split() == ["postgres"]
    assert installed.sh("systemctl list-unit-files 'plantops*' --no-legend", check=False) == ""
    assert "nothing to do" in installed.run(REMOVE, "--purge", "--yes").stdout


def without_databases(there_is):
    """Without the users' database, in which a removed user leaves a backup file, and the drop-in that loads TimescaleDB:
    other databases of the cluster may use it by then."""
    return [line for line in there_is.splitlines() if not line.startswith(
        ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/var/backups/")
    ) and "/conf.d/plantops.conf" not in line]
