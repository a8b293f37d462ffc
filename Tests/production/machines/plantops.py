"""PlantOps in a throw-away machine: installing it, and asking it things from within."""

import json

INSTALL = "/srv/plantops/deploy/systemd/install.sh"
REMOVE = "/srv/plantops/deploy/systemd/remove.sh"
SOURCES = ("--program", "/srv/program/plantops", "--dashboard", "/srv/dashboard")
HOST = "plants.example.test"


def install(machine, *options, **more):
    return machine.run(INSTALL, *SOURCES, *options, **more)


def refused(machine, *command, status=1):
    done = machine.run(*command, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


def api(machine, path, body=None, method=None):
    """(status, answer) of the API, as a browser gets it: by name, over HTTPS, through nginx, with our CA."""
    command = ["curl", "-sS", "--cacert", "/etc/plantops/certs/ca.crt", "-w", "\n%{http_code}", "-b", "/tmp/cookies", "-c", "/tmp/cookies"]
    if body is not None:
        command += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
    if method:
        command += ["-X", method]
    answer = machine.run(*command, f"https://{HOST}/api/{path}", input=json.dumps(body) if body is not None else "").stdout
    text, status = answer.rsplit("\n", 1)
    return int(status), json.loads(text) if text else None


def signed_in(machine):
    password = machine.sh("cat /etc/plantops/secrets/ADMIN_PASSWORD")
    status, answer = api(machine, "auth/login", {"email": "rosa@example.test", "password": password})
    assert status == 200, answer


def wait_for(machine, script, seconds=30):
    """Until a script in the machine ends well; its output."""
    return machine.sh(f"for i in $(seq {seconds * 10}); do if out=$( {script} ); then echo \"$out\"; exit 0; fi; sleep 0.1; done; exit 1")


def main_process(machine, unit):
    return machine.sh(f"systemctl show -p MainPID --value {unit}").strip()
