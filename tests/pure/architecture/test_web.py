"""The web folder: imports run down its floors, and what others wrote is there byte for byte, with its licence."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

WEB = Path(__file__).parents[3] / "chalicelib" / "web"
VENDOR = WEB / "vendor"
MANIFEST = VENDOR / "vendored.json"
BELOW = {"pages": {"pages", "parts", "lib"}, "parts": {"parts", "lib"}, "lib": {"lib"}}
IMPORT = re.compile(r"""(?:from\s|import\s*\(\s*|import\s)\s*["']([^"']+)["']""")
LIMIT_LINES = 400


def ours() -> list[Path]:
    return [path for floor in BELOW for path in sorted((WEB / floor).iterdir())]


def vendored() -> list[dict[str, Any]]:
    return list(json.loads(MANIFEST.read_text("utf-8")))


def checksums() -> dict[str, str]:
    return {name: digest for each in vendored() for name, digest in each["sha256"].items()}


@pytest.mark.parametrize("floor", BELOW)
def test_a_script_imports_only_from_its_floor_and_those_below(floor: str) -> None:
    scripts = sorted((WEB / floor).glob("*.js"))
    targets = {
        (script.name, target): (script.parent / target).resolve()
        for script in scripts
        for target in IMPORT.findall(script.read_text("utf-8"))
    }
    assert scripts
    assert targets
    wrong = [
        key
        for key, path in targets.items()
        if not path.is_file() or path.parent.parent != WEB or path.parent.name not in BELOW[floor]
    ]
    assert wrong == []


def test_nothing_lies_beside_the_floors() -> None:
    assert {path.name for path in WEB.iterdir()} == {*BELOW, "vendor"}


def test_files_of_the_page_stay_small() -> None:
    assert [path.name for path in ours() if path.read_text("utf-8").count("\n") > LIMIT_LINES] == []


def test_no_two_files_of_the_page_have_one_name() -> None:
    names = [path.name for path in ours()]
    assert sorted(names) == sorted(set(names))


def test_vendored_files_are_those_that_were_taken_in() -> None:
    there = {path.name: sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir() if path != MANIFEST}
    assert there == checksums()


def test_vendored_files_have_a_version_and_a_licence() -> None:
    for each in vendored():
        assert re.fullmatch(r"\d+\.\d+\.\d+", each["version"])
        text = (VENDOR / each["license_file"]).read_text("utf-8")
        words = {"Apache-2.0": "Apache License", "MIT": "MIT License"}[each["license"]]
        assert words in text


def test_a_vendored_script_says_the_version_that_the_list_names() -> None:
    versions = {each["name"]: each["version"] for each in vendored()}
    assert f"v{versions['uPlot']}" in (VENDOR / "uPlot.iife.min.js").read_text("utf-8")[:200]
    assert f'"{versions["Swagger UI"]}"' in (VENDOR / "swagger-ui-bundle.js").read_text("utf-8")
