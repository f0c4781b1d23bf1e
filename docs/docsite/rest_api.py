"""The REST API as Markdown, from docs/openapi.yaml: paths, then responses, then schemas."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from docsite.markdown import code, table

FILE = Path(__file__).resolve().parents[1] / "openapi.yaml"


def page() -> str:
    """Returns the paths with their requests and responses, and the schemas."""
    api = yaml.safe_load(FILE.read_text("utf-8"))
    lines = ["## Paths", ""]
    for path, methods in api["paths"].items():
        shared = methods.get("parameters", [])
        for method, operation in methods.items():
            if method != "parameters":
                lines += _operation(api, method, path, shared, operation)
    lines += ["## Requests", ""]
    for name, body in api["components"]["requestBodies"].items():
        lines += _request(name, body)
    lines += ["## Schemas", ""]
    for name, schema in api["components"]["schemas"].items():
        lines += [f"### {name}", "", *_schema(schema), ""]
    return "\n".join(lines)


def _operation(
    api: dict[str, Any], method: str, path: str, shared: list[Any], operation: dict[str, Any]
) -> list[str]:
    lines = [f"### `{method.upper()} {path}`", "", operation["summary"], ""]
    if "description" in operation:
        lines += [operation["description"].strip(), ""]
    parameters = [_found(api, each) for each in [*shared, *operation.get("parameters", [])]]
    if parameters:
        rows = [
            [code(each["name"]), _kind(each["schema"]), code(each["example"]), each["description"]]
            for each in parameters
        ]
        lines += [*table(["in the path", "type", "example", "meaning"], rows), ""]
    if "requestBody" in operation:
        name = _name(operation["requestBody"])
        lines += [f"Request: [{name}](#{_anchor(f'request {name}')}).", ""]
    rows = []
    for status, response in operation["responses"].items():
        response = _found(api, response)
        schema = next(iter(response.get("content", {}).values()), {}).get("schema", {})
        rows.append([code(status), _kind(schema), response["description"].strip()])
    return [*lines, *table(["status", "body", "meaning"], rows), ""]


def _request(name: str, body: dict[str, Any]) -> list[str]:
    content = body["content"]["application/json"]
    lines = [f"### Request {name}", "", f"The body is JSON: {_kind(content['schema'])}. Examples:"]
    lines.append("")
    for example in content.get("examples", {}).values():
        if "summary" in example:
            lines += [example["summary"], ""]
        lines += ["```json", json.dumps(example["value"]), "```", ""]
    return lines


def _schema(schema: dict[str, Any]) -> list[str]:
    lines = [" ".join(schema["description"].split()), ""] if "description" in schema else []
    rows = [
        [code(name), _kind(part), "yes" if needed else "", " ".join(about.split())]
        for name, part, needed, about in _properties(schema)
    ]
    if rows:
        return [*lines, *table(["key", "type", "required", "meaning"], rows)]
    return [*lines, f"Type: {_kind(schema)}."]


def _properties(
    schema: dict[str, Any], before: str = ""
) -> Iterator[tuple[str, dict[str, Any], bool, str]]:
    """Yields the keys of an object, and those of the objects in it, with the path to each."""
    required = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        path = f"{before}{name}"
        yield path, part, name in required, part.get("description", "")
        if part.get("type") == "array" and "properties" in part.get("items", {}):
            yield from _properties(part["items"], f"{path}[].")
        else:
            yield from _properties(part, f"{path}.")
    other = schema.get("additionalProperties")
    if isinstance(other, dict):
        yield f"{before}NAME", other, False, "any name"
        yield from _properties(other, f"{before}NAME.")


def _kind(schema: dict[str, Any]) -> str:
    """Returns the type of a schema in words."""
    if "$ref" in schema:
        name = _name(schema)
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(code(each) for each in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        items = schema.get("items")
        return f"list of {_kind(items)}" if items else "list"
    words = kind if isinstance(kind, str) else " or ".join(each for each in kind)
    return f"{words} (base64)" if "contentEncoding" in schema else words


def _found(api: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Returns what a part refers to, or the part itself."""
    if "$ref" not in part:
        return part
    found: Any = api
    for key in part["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return dict(found)


def _name(part: dict[str, Any]) -> str:
    return str(part["$ref"].rsplit("/", 1)[-1])


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
