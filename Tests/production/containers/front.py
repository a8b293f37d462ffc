"""An installation as browsers and devices reach it."""

from pathlib import Path

from support.api import Api

from . import project


class Front:
    """Through what is published and nothing else."""

    def __init__(self, installation, prepared):
        self.installation, self.prepared = installation, prepared
        self.settings = project.assignments((prepared / ".env.prod").read_text())
        self.ca = str(prepared / "ca.crt")
        self.mqtt_port = 8883
        self.stranger = Api("https://localhost:8443")
        self._token = self.enrollment = None

    def trust(self):
        """Takes the CA over, as an operator does who hands it to browsers."""
        Path(self.ca).write_text(self.installation["certificates"].run(["cat", "/var/lib/plantops/authority/ca.crt"]).stdout)

    def secret(self, name):
        return (self.prepared / project.DOCKER / "secrets" / f"{name}.txt").read_text().strip()

    def sign_in(self):
        return self.stranger.sign_in(self.settings["ADMIN_EMAIL"], self.secret("ADMIN_PASSWORD"))

    @property
    def api(self):
        if self._token is None:
            with self.sign_in() as session:
                answer = session.post(self.stranger.url("/tokens"), json={"name": "tests", "role": "admin"}, timeout=20)
                assert answer.status_code == 201, answer.text
                self._token = answer.json()["token"]
        return self.stranger.as_(self._token)

    @property
    def enrollment_token(self):
        if self.enrollment is None:
            self.enrollment = self.api.ok("POST", "/enrollment-tokens", 201, json={"label": "tests"})["token"]
        return self.enrollment

    def latest(self, device):
        return self.api.get(f"/devices/{device}/telemetry/latest")
