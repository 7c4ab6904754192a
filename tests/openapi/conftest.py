"""The backend that the tests talk to: the program named by STHENO_BIN, started once with a demo shop; in a throw-away
file, or in the empty database of the URL STHENO_DATABASE.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "openapi" / "openapi.json"

EMAIL = "admin@example.com"
PASSWORD = "a-long-password"
API_TOKEN = "a-chosen-api-token"

START_SECONDS = 60
STOP_SECONDS = 30


@dataclass
class Backend:
    url: str
    email: str = EMAIL
    password: str = PASSWORD
    api_token: str = API_TOKEN


@pytest.fixture(scope="session")
def backend():
    program = os.environ.get("STHENO_BIN")
    if not program:
        pytest.exit("set STHENO_BIN to the built program", returncode=2)
    port = free_port()
    backend = Backend(url=f"http://127.0.0.1:{port}")
    with tempfile.TemporaryDirectory(prefix="stheno-openapi-") as folder, open(f"{folder}/log", "w+") as log:
        database = os.environ.get("STHENO_DATABASE") or f"sqlite:{folder}/shop.db"
        server = subprocess.Popen(
            [program, "serve", "--demo", f"--port={port}", f"--database={database}"],
            cwd=folder,
            # Nothing else of the caller's environment: a DATABASE_URL there is not meant for us.
            env={
                "PATH": os.environ.get("PATH", ""),
                "STHENO_ADMIN_EMAIL": EMAIL,
                "STHENO_ADMIN_PASSWORD": PASSWORD,
                "STHENO_ADMIN_API_TOKEN": API_TOKEN,
            },
            stdout=log,
            stderr=log,
        )
        try:
            until_ready(backend.url, server, log)
            yield backend
        finally:
            status = stop(server)
        assert status == 0, f"asked to stop, the server ended with {status}:\n{text_of(log)}"


def until_ready(url, server, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.exit(f"the server ended with {server.returncode}:\n{text_of(log)}", returncode=2)
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    pytest.exit(f"the server was not ready after {START_SECONDS} s:\n{text_of(log)}", returncode=2)


def stop(server):
    server.send_signal(signal.SIGTERM)
    try:
        return server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


def text_of(log):
    log.seek(0)
    return log.read()[-5000:]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
