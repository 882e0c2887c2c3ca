"""Checks JSON documents against docs/schemas: reads lines `SCHEMA DOCUMENT` on standard input.

Here, unlike for readers of a published schema, a field that the schema does not name is an error.
"""

import json
import pathlib
import sys

import jsonschema

FOLDER = pathlib.Path(__file__).parents[3] / "docs" / "schemas"


def strict(schema):
    """The schema without room for other fields."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(part) for name, part in schema.items()}
    if "properties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


used = set()
for line in sys.stdin:
    name, document = line.split(" ", 1)
    schema = json.loads((FOLDER / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = jsonschema.Draft202012Validator(strict(schema)).iter_errors(json.loads(document))
    for error in errors:
        print(f"{name}: {error.json_path}: {error.message}")
    used.add(name)
for file in FOLDER.iterdir():
    if file.stem not in used:
        print(f"{file.name}: no document was checked")
