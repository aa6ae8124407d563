"""The shape artifact/1: what the program says fits the published schema, and the schema fits the types."""

import json
import shutil
import time
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from jsonschema import Draft202012Validator, ValidationError
from typer.testing import CliRunner

from cli.main import app
from cli.records import artifact_1
from tests.pictures import LEFT, PLACES, RIGHT, forged, hung, painting, with_plate, write_paintings

SCHEMA = json.loads((Path(__file__).parents[2] / "cli/records/artifact-1.schema.json").read_text("utf-8"))
NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}
TYPES = {name: item for name, item in vars(artifact_1).items() if name.endswith("Record")}
MEANING = {"description", "enum", "const", "pattern", "minimum", "maximum", "minItems", "maxItems"}


def shape_of(hint: Any) -> dict[str, Any]:
    """Return the schema of a type, without what its values mean."""
    if is_typeddict(hint):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if get_origin(hint) is UnionType:
        (known,) = (shape_of(part) for part in get_args(hint) if part is not NoneType)
        return {"anyOf": [known, {"type": "null"}]} if "$ref" in known else known | {"type": [known["type"], "null"]}
    if get_origin(hint) is list:
        return {"type": "array", "items": shape_of(*get_args(hint))}
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": shape_of(get_args(hint)[1])}
    return {"type": "string" if get_origin(hint) is Literal else NAMES[hint]}


def bare(schema: Any) -> Any:
    """Return a schema without what the values mean, a box as the list of integers that it is."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$ref") == "#/$defs/Box":
        return bare(SCHEMA["$defs"]["Box"])
    return {key: bare(part) for key, part in schema.items() if key not in MEANING}


def strict() -> Draft202012Validator:
    """Return a validator that refuses a key which the schema does not name."""
    defined = {
        name: part | {"additionalProperties": False} if "properties" in part else part
        for name, part in SCHEMA["$defs"].items()
    }
    return Draft202012Validator(SCHEMA | {"$defs": defined})


def artifact(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code in (0, 3), result.output
    return result.stdout


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> list[dict[str, Any]]:
    """What a query and two screenings print in JSON; the second screening is of lots, some seen in the first."""
    root = tmp_path_factory.mktemp("shape")
    works, inbox, data = root / "works", root / "inbox", root / "data"
    write_paintings(works, 6)
    forgery = forged()
    forgery.save(works / "forged.png")
    table = "object_id,status,forgery_of\n02,stolen,\nforged,known forgery,04\n"
    (works / "catalogue.csv").write_text(table, encoding="utf-8")
    artifact("index", works, "--data", data)
    inbox.mkdir()
    for name, picture in (("forgery", forgery), ("fine", painting(5)), ("unknown", painting(99))):
        picture.save(inbox / f"{name}.jpg", quality=92)
    shutil.copy(inbox / "fine.jpg", inbox / "fine again.jpg")
    with_plate(painting(3), PLACES["below"])[0].save(inbox / "plate.jpg", quality=92)
    hung([(painting(5), LEFT), (painting(2), RIGHT)]).save(inbox / "wall.jpg", quality=92)
    (inbox / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    rows = [
        "photo,lot,claim",
        "fine.jpg,1,05",
        "unknown.jpg,2,01",
        "wall.jpg,3,nobody",
        "broken.jpg,4,05",
        "gone.jpg,5,",
    ]
    sale = shutil.copytree(inbox, root / "sale")  # what was seen in the same folder is not said
    (sale / "lots.csv").write_text("\n".join(rows), encoding="utf-8")
    query = json.loads(artifact("query", inbox / "fine.jpg", "--data", data, "--format", "json"))
    first = artifact("screen", inbox, "--data", data, "--format", "jsonl")
    time.sleep(1.1)  # dates are kept to the second
    second = artifact("screen", sale / "lots.csv", "--data", data, "--format", "jsonl")
    return [query, *map(json.loads, [*first.splitlines(), *second.splitlines()])]


def test_the_schema_has_the_keys_and_types_of_the_records() -> None:
    defined = {name: part for name, part in SCHEMA["$defs"].items() if name != "Box"}
    assert defined.keys() == TYPES.keys() and len(TYPES) == 16
    for name, part in defined.items():
        hints = get_type_hints(TYPES[name])
        assert list(part["properties"]) == part["required"] == list(hints), name
        assert bare(part["properties"]) == {key: shape_of(hint) for key, hint in hints.items()}, name
    assert SCHEMA["$defs"]["SeenRecord"]["properties"]["by"]["enum"] == list(
        get_args(get_type_hints(TYPES["SeenRecord"])["by"])
    )


def test_what_the_program_says_fits_the_schema_and_has_no_other_key(records) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for record in records:
        strict().validate(record)


def test_all_that_there_is_to_say_was_said(records) -> None:
    works = [work for record in records for work in record["works"]]
    matches = [match for work in works for match in work["matches"]]
    assert {work["outcome"] for work in works} >= {"consistent", "divergent"}
    assert {work["alert"] for work in works} == {"stolen", "known forgery", None}
    assert {work["forgery"] is None for work in works} == {work["outline"] is None for work in works} == {True, False}
    for name in ("registration", "registration_reason", "divergence"):
        assert {match[name] is None for match in matches} == {True, False}, name
    overlays = [overlay for match in matches if match["divergence"] for overlay in match["divergence"]["overlays"]]
    assert {overlay["kind"] for overlay in overlays} >= {"plate"}
    for name in ("sha256", "error", "lot", "claim", "same_as"):
        assert {record[name] is None for record in records} == {True, False}, name
    claims = [record["claim"] for record in records if record["claim"]]
    assert (
        {claim["work"] is None for claim in claims} == {claim["object_id"] is None for claim in claims} == {True, False}
    )
    assert {seen["by"] for record in records for seen in record["seen_before"]} >= {"photo", "object"}


@pytest.mark.parametrize(
    "path", [(), ("works", 0), ("works", 0, "matches", 0), ("works", 0, "matches", 0, "divergence")]
)
def test_a_key_that_the_schema_does_not_name_is_noticed_here_and_allowed_to_others(records, path) -> None:
    record = json.loads(json.dumps(records[0]))
    part = record
    for step in path:
        part = part[step]
    part["new"] = 1
    Draft202012Validator(SCHEMA).validate(record)
    with pytest.raises(ValidationError):
        strict().validate(record)
    del part["new"], part[next(iter(part))]
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(record)
