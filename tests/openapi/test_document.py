"""The description is valid in the eyes of a strict validator."""

import json

from conftest import DOCUMENT
from openapi_spec_validator import OpenAPIV31SpecValidator


def test_the_document_is_valid():
    document = json.loads(DOCUMENT.read_text())
    errors = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert errors == []
