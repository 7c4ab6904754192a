"""A client in Python, generated from the description, works."""

import importlib
import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest
from conftest import DOCUMENT


@pytest.fixture(scope="session")
def client(backend, tmp_path_factory):
    """The package of the generated client, and a client of the backend."""
    folder = tmp_path_factory.mktemp("client") / "stheno_client"
    programs = Path(sys.executable).parent
    subprocess.run(
        [
            str(programs / "openapi-python-client"),
            "generate",
            f"--path={DOCUMENT}",
            "--meta=none",
            f"--config={Path(__file__).parent / 'generator.yml'}",
            f"--output-path={folder}",
            # A warning is a part of the description that the client would lack.
            "--fail-on-warning",
        ],
        # The generator formats with a program that it looks for by name.
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"},
        check=True,
    )
    sys.path.insert(0, str(folder.parent))
    package = importlib.import_module("stheno_client")
    client = package.AuthenticatedClient(
        base_url=backend.url, token=backend.api_token, prefix="", auth_header_name="x-medusa-access-token"
    )
    return package, client


def call(name):
    return importlib.import_module(f"stheno_client.api.{name}")


def test_lists_creates_and_fills_a_group(client):
    _, client = client
    models = importlib.import_module("stheno_client.models")

    page = call("customer_groups.list_customer_groups").sync(client=client, limit=3, order="name")
    assert page.count >= 20
    names = [group.name for group in page.customer_groups]
    assert len(names) == 3 and names == sorted(names)

    created = call("customer_groups.create_customer_group").sync(
        client=client, body=models.CreateCustomerGroup(name="Made in Python")
    )
    group = created.customer_group
    assert group.name == "Made in Python"
    found = call("customer_groups.list_customer_groups").sync(client=client, name=["Made in Python"])
    assert [group.id for group in found.customer_groups] == [group.id]
    later = call("customer_groups.list_customer_groups").sync(
        client=client, created_atgt=group.created_at.replace(year=group.created_at.year + 1)
    )
    assert later.count == 0

    customers = call("customers.list_customers").sync(client=client, limit=2).customers
    wanted = [models.CustomersToAddCustomerIdsItem(id=customer.id) for customer in customers]
    added = call("customer_groups.add_customers_to_group").sync(
        group.id, client=client, body=models.CustomersToAdd(customer_ids=wanted)
    )
    assert added.customer_group.id == group.id
    members = call("customer_groups.list_customers_of_group").sync(group.id, client=client)
    assert {member.id for member in members.customers} == {customer.id for customer in customers}

    deleted = call("customer_groups.delete_customer_group").sync(group.id, client=client)
    assert deleted.deleted


def test_errors_are_typed(client, backend):
    package, client = client
    models = importlib.import_module("stheno_client.models")

    missing = call("customer_groups.retrieve_customer_group").sync_detailed("cgrp_nope", client=client)
    assert missing.status_code == HTTPStatus.NOT_FOUND
    assert missing.parsed.type_ == "not_found"

    taken = models.CreateCustomerGroup(name="Twice in Python")
    first = call("customer_groups.create_customer_group").sync(client=client, body=taken)
    second = call("customer_groups.create_customer_group").sync(client=client, body=taken)
    assert second.type_ == "duplicate_error"
    assert second.message == "Key (name)=(Twice in Python) already exists."
    call("customer_groups.delete_customer_group").sync(first.customer_group.id, client=client)

    stranger = package.Client(base_url=backend.url)
    refused = call("customer_groups.list_customer_groups").sync_detailed(client=stranger)
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
