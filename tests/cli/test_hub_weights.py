"""A generator's weights through the hub's own client, from a hub on loopback; no mock of either."""

import contextlib
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading

import pytest

from talkingface_wild.core.reporter import Quiet
from talkingface_wild.jobs import weights as jobs
from talkingface_wild.jobs.weights import FetchRequest
from talkingface_wild.weights.manifest import hub_entries

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "stabilityai/sd-vae-ft-mse"


@contextlib.contextmanager
def hub(files: dict[str, bytes], size: int | None = None, repository: str = REPOSITORY):
    """The address of a hub that has one repository; ``size`` lies about the length of files."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format, *args):
            pass

        def do_HEAD(self):
            self.answer(head=True)

        def do_GET(self):
            self.answer(head=False)

        def answer(self, head: bool):
            name = self.path.partition(f"/resolve/{COMMIT}/")[2]
            headers = {"X-Repo-Commit": COMMIT}
            if self.path.startswith(f"/api/models/{repository}/"):
                siblings = [{"rfilename": name} for name in files]
                tree = [
                    {"type": "file", "path": name, "size": size or len(body), "oid": "0" * 40}
                    for name, body in files.items()
                ]
                answer = {"id": repository, "sha": COMMIT, "siblings": siblings}
                body = json.dumps(tree if "/tree/" in self.path else answer).encode()
                headers["Content-Type"] = "application/json"
                status = 200
            elif name in files:
                body, status = files[name], 200
                digest = hashlib.sha256(body).hexdigest()
                headers |= {"ETag": f'"{digest}"', "X-Linked-Etag": f'"{digest}"'}
                headers["X-Linked-Size"] = str(size or len(body))
            else:
                body, status = b"", 404
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not head:
                self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def tfw(tmp_path, monkeypatch):
    """``tfw(address, *words)``: exit code and answer of a program that knows no other hub."""

    def run(address, *words):
        places = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf")}
        environment = {**os.environ, **places, "TFW_WEIGHTS": str(tmp_path), "TFW_OFFLINE": "0"}
        command = [sys.executable, "-m", "talkingface_wild.cli.main", "weights", *words, "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout)["data"]

    return run


FILES = {
    "config.json": b"{}",
    "diffusion_pytorch_model.safetensors": b"numbers" * 1000,
    "diffusion_pytorch_model.bin": b"the same as a pickle",
}


def test_a_network_is_fetched_listed_and_verified_by_its_name(tfw, tmp_path):
    with hub(FILES) as address:
        code, told = tfw(address, "where", "vae")
        assert code == 4 and "tfw weights fetch vae" in told["error"]
        code, told = tfw(address, "fetch", "vae")
        assert code == 0, told
    path = told["fetched"]["vae"]
    with open(path, "rb") as stream:
        assert stream.read() == FILES["diffusion_pytorch_model.safetensors"]
    assert not list((tmp_path / "hf").rglob("*.bin"))
    # What was fetched is there without the hub.
    rows = {row["name"]: row for row in tfw("http://127.0.0.1:9", "list")[1]["weights"]}
    sha256 = hashlib.sha256(FILES["diffusion_pytorch_model.safetensors"]).hexdigest()
    assert (rows["vae"]["state"], rows["vae"]["sha256"], rows["sd15"]["state"]) == (
        "present",
        sha256,
        "missing",
    )
    with open(path, "r+b") as stream:
        stream.write(b"other")
    code, told = tfw("http://127.0.0.1:9", "verify", "vae")
    assert (code, told["weights"][0]["state"]) == (6, "differs")


def test_another_file_than_the_one_that_is_meant_is_refused(tfw, tmp_path):
    """Numbers of curation depend on it; its companions came along."""
    files = dict.fromkeys(("config.json", "tokenizer.json", "vocabulary.txt"), b"{}")
    files |= {"model.bin": b"another network", "README.md": b"of no use"}
    with hub(files, repository="Systran/faster-whisper-base") as address:
        code, told = tfw(address, "fetch", "faster_whisper_base")
    assert code == 6 and "Expected sha256 d01c3014881c" in told["error"]
    names = {path.name for path in (tmp_path / "hf").rglob("snapshots/*/*")}
    assert names == set(files) - {"README.md"}
    code, told = tfw("http://127.0.0.1:9", "where", "faster_whisper_base")
    assert code == 4 and "found another file" in told["error"]


def test_what_does_not_fit_on_the_disk_is_refused_before_the_first_byte(tfw, tmp_path):
    with hub(FILES, size=10**18) as address:
        code, told = tfw(address, "fetch", "vae")
    assert code != 0 and "bytes free" in told["error"] and "HF_HOME" in told["error"]
    assert not list((tmp_path / "hf").rglob("*.safetensors"))


def test_a_mistyped_name_is_told_the_nearest(tfw):
    code, told = tfw("http://127.0.0.1:9", "fetch", "poseguider")
    assert code == 2 and "did you mean 'pose_guider'" in told["error"]


@pytest.mark.parametrize(("field", "name"), [("every", "syncnet_v2"), ("free", "centerface")])
def test_all_and_open_leave_a_generators_gigabytes_alone(monkeypatch, field, name):
    names = []
    monkeypatch.setattr(
        "talkingface_wild.weights.fetch.fetch", lambda s, weight, b, **more: names.append(weight)
    )
    jobs.fetch(FetchRequest(**{field: True}), Quiet(), lambda name: contextlib.nullcontext())
    assert name in names and not set(names) & set(hub_entries())
    assert ("scrfd_10g" in names) == (field == "every")
