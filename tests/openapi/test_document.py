"""The description is valid in the eyes of a strict validator, and so are its examples."""

import json

import pytest
from conftest import DOCUMENT
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

TEXT = DOCUMENT.read_text()


@pytest.fixture(scope="module")
def document():
    return json.loads(TEXT)


def test_the_document_is_valid(document):
    errors = OpenAPIV31SpecValidator(document).iter_errors()
    assert [f"{'/'.join(map(str, error.path))}: {error.message}" for error in errors] == []


def test_every_body_has_an_example(document):
    lacking = [
        f"{method} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "example" not in content
    ]
    assert lacking == []


def test_every_example_is_of_its_schema(document):
    resource = DRAFT202012.create_resource(document)
    registry = Registry().with_resource("urn:document", resource)
    examples = list(examples_in(document, "#"))
    assert len(examples) > 100
    for pointer, example in examples:
        validator = Draft202012Validator({"$ref": f"urn:document{pointer}"}, registry=registry)
        errors = [error.message for error in validator.iter_errors(example)]
        assert errors == [], f"{example} at {pointer}"


def examples_in(node, pointer):
    """Each example, with a pointer to the schema that it belongs to."""
    if isinstance(node, list):
        for index, element in enumerate(node):
            yield from examples_in(element, f"{pointer}/{index}")
    elif isinstance(node, dict):
        if "example" in node and "schema" in node:
            yield f"{pointer}/schema", node["example"]
        if isinstance(node.get("examples"), list):
            yield from ((pointer, example) for example in node["examples"])
        for name, child in node.items():
            if name not in ("example", "examples"):
                escaped = name.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
                yield from examples_in(child, f"{pointer}/{escaped}")
