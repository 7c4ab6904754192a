"""schemathesis tests the server against the description, once; what it found is told operation by operation."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import DOCUMENT

HERE = Path(__file__).parent

OPERATIONS = [
    f"{method.upper()} {path}"
    for path, item in json.loads(DOCUMENT.read_text())["paths"].items()
    for method in item
]

STATEFUL = "Stateful tests"


@pytest.fixture(scope="session")
def run(backend, tmp_path_factory):
    report = tmp_path_factory.mktemp("schemathesis") / "report.xml"
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "--config-file=schemathesis.toml",
        "run",
        str(DOCUMENT),
        f"--url={backend.url}",
        "--no-color",
        f"--report-junit-path={report}",
    ]
    environment = {**os.environ, "STHENO_ADMIN_API_TOKEN": backend.api_token, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True)
    print(ended.stdout[-20_000:], ended.stderr[-5_000:], sep="\n")
    assert report.exists(), f"schemathesis did not get to a report:\n{ended.stdout}\n{ended.stderr}"
    found = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        faults = [fault.text or fault.get("message") for kind in ("failure", "error") for fault in case.iter(kind)]
        found.setdefault(case.get("name"), []).extend(faults)
    return ended, found


@pytest.mark.parametrize("name", [*OPERATIONS, STATEFUL])
def test_it_is_as_described(run, name):
    _, found = run
    assert name in found, f"schemathesis did not test it, but {sorted(found)}"
    assert not found[name], "\n\n".join(found[name])


def test_nothing_else_was_found(run):
    ended, found = run
    others = {name: faults for name, faults in found.items() if faults and name not in [*OPERATIONS, STATEFUL]}
    assert others == {}
    assert ended.returncode == 0, ended.stdout[-10_000:]
