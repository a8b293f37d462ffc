"""What install.sh has put on a machine, at work: how far the services are shut in, what they do when killed, the jobs of the
timers, backup and restore."""

import pytest
from machines import REPOSITORY
from machines.plantops import HOST, INSTALL, SOURCES, api, main_process, refused, signed_in, wait_for

pytest_plugins = ["machines.fixtures"]
UNITS = ("plantops.service", "plantops-mosquitto.service", "plantops-backup.service", "plantops-certificates.service")
TIMERS = ("plantops-backup.timer", "plantops-certificates.timer")
CA = "/etc/plantops/certs/ca.crt"


@pytest.fixture(scope="module")
def installed(machine):
    machine.run(INSTALL, "--host", HOST, "--email", "rosa@example.test", *SOURCES)
    return machine


def shown_serial(machine, port):
    return machine.sh(f"openssl s_client -connect {HOST}:{port} -CAfile {CA} -verify_return_error </dev/null 2>/dev/null | openssl x509 -noout -serial")


def test_systemd_finds_nothing_wrong_with_the_units(installed):
    done = installed.run("systemd-analyze", "verify", "--man=no", *(f"/etc/systemd/system/{unit}" for unit in UNITS + TIMERS))
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "plantops" in line]
    assert ours == []


@pytest.mark.parametrize("unit", UNITS)
def test_services_can_do_little_besides_their_work(installed, unit):
    done = installed.run("systemd-analyze", "security", "--threshold=25", "--no-pager", unit, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("unit", "user"), [("plantops", "plantops"), ("plantops-mosquitto", "mosquitto")])
def test_the_running_processes_are_shut_in(installed, unit, user):
    pid = main_process(installed, unit)
    status = dict(line.split(":\t", 1) for line in installed.sh(f"cat /proc/{pid}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split()[0] == installed.sh(f"id -u {user}").strip()
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    # Not even root could write where it can see.
    inside = ["nsenter", "-t", pid, "-m"]
    for place in ("/etc/x", "/opt/plantops/current/x", "/var/lib/x", "/usr/x", "/home/x", "/root/x"):
        assert installed.run(*inside, "touch", place, check=False).returncode != 0, place
    installed.run(*inside, "touch", "/tmp/own")
    assert installed.run("test", "-e", "/tmp/own", check=False).returncode == 1
    hidden = "/var/lib/plantops/mosquitto" if unit == "plantops" else "/etc/plantops/secrets"
    assert installed.run(*inside, "ls", hidden, check=False).returncode != 0


def test_what_is_killed_comes_back(installed):
    killed = main_process(installed, "plantops"), main_process(installed, "plantops-mosquitto")
    installed.run("kill", "-KILL", *killed)
    wait_for(installed, "systemctl is-active plantops plantops-mosquitto && curl -sf http://127.0.0.1:8000/api/ready")
    assert not {main_process(installed, "plantops"), main_process(installed, "plantops-mosquitto")} & set(killed)


def test_a_stop_is_graceful(installed):
    installed.run("systemctl", "stop", "plantops")
    shown = installed.sh("systemctl show -p Result -p ExecMainStatus plantops").split()
    installed.run("systemctl", "start", "plantops")
    assert sorted(shown) == ["ExecMainStatus=0", "Result=success"]
    wait_for(installed, "curl -sf http://127.0.0.1:8000/api/ready")


def test_the_timers_wait_for_their_hours(installed):
    listed = installed.sh("systemctl list-timers --all --no-legend --no-pager 'plantops-*'")
    assert all(timer in listed for timer in TIMERS)
    assert "03:1" in listed or "03:2" in listed
    assert "Sun" in listed


def test_the_renewal_disconnects_nobody(installed):
    wait_for(installed, "curl -sf http://127.0.0.1:8000/api/ready")
    ca = installed.sh(f"cat {CA}")
    before = shown_serial(installed, 8883)
    assert shown_serial(installed, 443) == before
    since = installed.sh("date +%s").strip()
    # Nothing is due: nothing happens.
    installed.run("systemctl", "start", "plantops-certificates.service")
    assert shown_serial(installed, 8883) == before
    installed.sh("rm /etc/plantops/certs/server.crt")
    installed.run("systemctl", "start", "plantops-certificates.service")
    after = shown_serial(installed, 8883)
    assert after != before and installed.sh(f"cat {CA}") == ca
    wait_for(installed, f"[ \"$(openssl s_client -connect {HOST}:443 </dev/null 2>/dev/null | openssl x509 -noout -serial)\" = {after.strip()} ]")
    told = installed.sh(f"journalctl --no-pager -o cat -u plantops-mosquitto --since=@{since}")
    assert not [line for line in told.splitlines() if "backend" in line and ("disconnect" in line or "closed" in line)]
    assert api(installed, "ready")[0] == 200
    assert "nobody was disconnected" in installed.run("plantopsctl", "renew-certificates").stdout
    assert shown_serial(installed, 8883) != after


def test_the_nights_backup_can_be_restored(installed):
    signed_in(installed)
    assert api(installed, "plants", {"name": "Kept"})[0] == 201
    installed.run("systemctl", "start", "plantops-backup.service")
    backup = installed.sh("ls /var/backups/plantops/*.tar").strip()
    assert installed.sh(f"stat -c '%a %U' {backup}").strip() == "600 root"
    assert "is whole and opens" in installed.run("plantopsctl", "verify", backup).stdout
    assert api(installed, "plants", {"name": "Too late"})[0] == 201
    # What the restore must bring back besides the database.
    installed.sh("echo damaged >/etc/plantops/certs/server.crt; printf wrong >/etc/plantops/secrets/MQTT_BACKEND_PASSWORD")

    assert "YES=1" in refused(installed, "plantopsctl", "restore", backup, status=64)
    told = installed.run("env", "YES=1", "plantopsctl", "restore", backup).stdout
    assert "restored: plantops is as it was" in told
    signed_in(installed)
    assert [plant["name"] for plant in api(installed, "plants")[1]["plants"]] == ["Kept"]
    assert api(installed, "ready")[0] == 200
    assert "plantops-" in installed.run("plantopsctl", "backups").stdout
    assert "nothing to do" in installed.run(INSTALL, *SOURCES).stdout


def test_plantopsctl_says_how_things_are(installed):
    assert "the backend is ready" in installed.run("plantopsctl", "status").stdout
    assert "rosa@example.test" in installed.run("plantopsctl", "exec", "user", "list").stdout
    doctor = installed.run("plantopsctl", "doctor", check=False)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "unknown command: dance" in refused(installed, "plantopsctl", "dance")
    ordinary = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    assert "needs root" in refused(installed, *ordinary, "plantopsctl", "status")
    assert "restore FILE" in installed.run("plantopsctl", "help").stdout


def test_secrets_are_replaced_as_the_documents_say(installed):
    page = (REPOSITORY / "docs/deployment.md").read_text()
    before = installed.sh("cat /etc/plantops/secrets/*")
    installed.sh("rm /etc/plantops/secrets/POSTGRES_PASSWORD; /opt/plantops/current/deploy/systemd/install.sh")
    wait_for(installed, "curl -sf http://127.0.0.1:8000/api/ready")
    for heading in ("### The broker's password with systemd", "### The key with systemd"):
        section = page.split(heading)[1].split("\n#")[0]
        script = "\n".join(line for line in section.splitlines() if line.startswith("    ")).replace("sudo ", "")
        installed.sh(script)
        wait_for(installed, "curl -sf http://127.0.0.1:8000/api/ready")
    after = installed.sh("cat /etc/plantops/secrets/*")
    for name in ("POSTGRES_PASSWORD", "MQTT_BACKEND_PASSWORD", "ENCRYPTION_KEY"):
        assert installed.sh(f"cat /etc/plantops/secrets/{name}") not in before
    assert len(after) > len(before), "the key from before is still there"
    signed_in(installed)
    assert "nothing to do" in installed.run(INSTALL, *SOURCES).stdout
    installed.sh("rm /etc/plantops/secrets/ENCRYPTION_KEY.before; rm /var/backups/plantops/*.tar; plantopsctl backup")


def test_another_machine_takes_over_with_backup_and_key(installed):
    backup = installed.sh("ls /var/backups/plantops/*.tar | head -n 1").strip()
    installed.sh(f"cp {backup} /root/backup.tar; cp /etc/plantops/secrets/ENCRYPTION_KEY /root/key")
    ca = installed.sh(f"cat {CA}")
    installed.run("/srv/plantops/deploy/systemd/remove.sh", "--purge", "--yes")
    installed.run(INSTALL, "--host", HOST, "--encryption-key", "/root/key", *SOURCES)
    assert installed.sh(f"cat {CA}") != ca
    installed.run("env", "YES=1", "plantopsctl", "restore", "/root/backup.tar")
    assert installed.sh(f"cat {CA}") == ca
    wait_for(installed, f"curl -sSf --cacert {CA} https://{HOST}/api/ready 2>/dev/null")
    signed_in(installed)
    assert [plant["name"] for plant in api(installed, "plants")[1]["plants"]] == ["Kept"]


def test_what_somebody_else_has_set_up_stays(installed):
    installed.run("/srv/plantops/deploy/systemd/remove.sh", "--purge", "--yes")
    installed.sh("""
        printf 'listener 1884 127.0.0.1\\nallow_anonymous true\\n' >/etc/mosquitto/conf.d/own.conf
        echo '# mine' >>/etc/nginx/sites-available/default
        systemctl restart mosquitto
    """)
    assert "port 80 is in use by nginx" in refused(installed, INSTALL, "--host", HOST, *SOURCES)
    done = installed.run(INSTALL, "--host", HOST, "--http-port", "0", *SOURCES)
    assert "stays as it is" in done.stderr
    assert "Welcome to nginx" in installed.sh("curl -sS http://127.0.0.1/")
    assert installed.sh("systemctl is-active mosquitto; ss -Hltn 'sport = :1884'").startswith("active\nLISTEN")
    assert api(installed, "ready")[0] == 200

    # Without nginx, something else leads to the backend; what is not ours stays again.
    installed.run(INSTALL, "--no-nginx", *SOURCES)
    wait_for(installed, f"! curl -sk https://{HOST}/")
    assert "Welcome to nginx" in installed.sh("curl -sS http://127.0.0.1/")
    assert "true" in installed.sh("curl -sS http://127.0.0.1:8000/api/ready")
    installed.run("/srv/plantops/deploy/systemd/remove.sh")
    assert installed.sh("systemctl is-active mosquitto nginx").split() == ["active", "active"]


def test_an_installation_that_was_cut_off_is_completed(installed):
    installed.run("/srv/plantops/deploy/systemd/remove.sh", "--purge", "--yes")
    # At the very moment in which the broker's first account is made.
    installed.sh(f"""
        {INSTALL} --host {HOST} --http-port 0 {' '.join(SOURCES)} >/tmp/cut-off 2>&1 &
        until grep -q 'making the broker' /tmp/cut-off; do sleep 0.02; done
        kill -KILL $!
        wait $! || [ $? = 137 ]
    """)
    assert "is installed" not in installed.sh("cat /tmp/cut-off")
    installed.run(INSTALL, "--host", HOST, "--http-port", "0", *SOURCES)
    assert api(installed, "ready")[0] == 200
    assert "nothing to do" in installed.run(INSTALL, *SOURCES).stdout
