"""An installation of the stack as its set-up sees it: settings, files of secrets, and what must be true in the end."""

from pathlib import Path

import requests
from click.testing import CliRunner, Result

from ingest.cli import cli
from ingest.deliver.influx_http import InfluxHttp
from ingest.deliver.sink import Sink, Target, open_sink

ADMIN_TOKEN = "the-token-of-the-administrator"
LINE = "energy,system=1 produced_wh=5.0 1790000000"


class Installation:
    """The files and settings of a stack, and the command as its one-shot service runs it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.settings = {
            "INFLUXDB_URL": url,
            "INFLUXDB_ORG": "home",
            "INFLUXDB_BUCKET": "enphase",
            "INFLUXDB_READER": "grafana",
        }
        secrets = {"ADMIN_TOKEN": ADMIN_TOKEN, "ADMIN_PASSWORD": "admin-password", "READER_PASSWORD": "reads-only-1"}
        for name, text in secrets.items():
            self.put(name, text)
        self.settings["INFLUXDB_TOKEN_FILE"] = str(folder / "volume/token")
        (folder / "volume").mkdir()

    def put(self, name: str, text: str) -> None:
        """Write a secret into its file."""
        path = self.folder / name.lower()
        path.write_text(f"{text}\n")
        self.settings[f"INFLUXDB_{name}_FILE"] = str(path)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["setup-database", *arguments], env=self.settings)

    def reach(self) -> str:
        done = self.run()
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.output

    @property
    def token(self) -> str:
        return (self.folder / "volume/token").read_text()

    def sink(self) -> Sink:
        return open_sink(Target("influxdb", self.url, self.token, "home", self.settings["INFLUXDB_BUCKET"]))

    def assert_right(self) -> None:
        """As the pipeline and as Grafana, doing what they may and trying what they may not."""
        bucket = self.settings["INFLUXDB_BUCKET"]
        sink = self.sink()
        assert sink.write([LINE]) == 0
        sink.close()
        assert self.reads("grafana", (self.folder / "reader_password").read_text().strip())
        assert not self.reads("grafana", "wrong-password")
        headers = {"Authorization": f"Token {self.token}"}
        for path in ("/api/v2/buckets", "/private/legacy/authorizations", "/api/v2/authorizations", "/api/v2/users"):
            reply = requests.get(f"{self.url}{path}", headers=headers, timeout=10)
            held = next((value for value in reply.json().values() if isinstance(value, list)), [])
            assert {item.get("name") for item in held} <= {bucket}, path
        written = requests.post(
            f"{self.url}/write",
            params={"db": bucket, "precision": "s"},
            data=LINE,
            auth=("grafana", "reads-only-1"),
            timeout=10,
        )
        assert written.status_code in (401, 403, 404), "Grafana may not write"

    def reads(self, name: str, password: str) -> bool:
        http = InfluxHttp(self.url, name, password)
        answer = http.query("SHOW FIELD KEYS", self.settings["INFLUXDB_BUCKET"])
        http.close()
        return answer.status == 200 and '"error"' not in answer.body
