"""The schemas of `docs/openapi.yaml`, as validators."""

from pathlib import Path

import jsonschema
import yaml


def description():
    """Returns the content of the file."""
    path = Path(__file__).parents[1] / "docs" / "openapi.yaml"
    return yaml.safe_load(path.read_text())


def described(api, method, template, status):
    """Returns a validator for responses with a status, or for requests (status 0)."""
    operation = api["paths"][template][method.lower()]
    part = operation["requestBody"] if not status else operation["responses"][str(status)]
    *_, kind, name = part["$ref"].split("/")
    schema = api["components"][kind][name]["content"]["application/json"]["schema"]
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return jsonschema.Draft202012Validator(whole | {"components": api["components"]})
