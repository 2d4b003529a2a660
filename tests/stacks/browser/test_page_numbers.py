"""lib/numbers.js: what people paste becomes JSON, digit by digit; what is no number keeps its place."""

import pytest

from tests.stacks.browser.modules import Modules

BIG = "123456789012345678901234567890"

READ = {
    "nothing": ("  \n ", "empty", []),
    "JSON": (f"[3, {BIG}, 1.50]", "JSON", ["3", BIG, "1.50"]),
    "an empty JSON array": ("[]", "JSON", []),
    "a whole input": ('{"array": [2, 1], "descending": true}', "JSON", ["2", "1"]),
    "JSON that holds what is no number": ('[1, "x", null]', "JSON", ["1", '"x"', "null"]),
    "commas": ("3,1,2", "separated", ["3", "1", "2"]),
    "blanks and semicolons": ("3 1;2 ;  4", "separated", ["3", "1", "2", "4"]),
    "lines": ("3\n1\n2\n", "one a line", ["3", "1", "2"]),
    "lines of Windows": ("3\r\n1\r\n2", "one a line", ["3", "1", "2"]),
    "a table": ("1\t2\n3\t4", "separated", ["1", "2", "3", "4"]),
    "brackets that are not JSON": ("[1 2 3]", "separated", ["1", "2", "3"]),
    "a comma too many": ("[1, 2,]", "separated", ["1", "2"]),
    "a word": ("1, two, 3", "separated", ["1", "two", "3"]),
    "an object without numbers": ('{"a": 1}', "separated", ['{"a":', "1}"]),
}

TO_JSON = {
    "JSON as it is": ("JSON", ["3", BIG, '"x"'], f'[3, {BIG}, "x"]'),
    "a plus sign": ("separated", ["+5", "+1.5"], "[5, 1.5]"),
    "a bare point": ("separated", [".5", "-.5", "5."], "[0.5, -0.5, 5.0]"),
    "leading zeros": ("separated", ["007", "-00.5"], "[7, -0.5]"),
    "exponents": ("separated", ["1e5", "1.e5", "2E-3"], "[1e5, 1.0e5, 2E-3]"),
    "a big integer": ("one a line", [BIG], f"[{BIG}]"),
    "no number is a text": ("separated", ["1", "two", "3"], '[1, "two", 3]'),
    "what JavaScript takes for a number and JSON does not": (
        "separated",
        ["0x10", "NaN", "Infinity"],
        '["0x10", "NaN", "Infinity"]',
    ),
    "words of JSON": ("separated", ["null", "true", "false"], "[null, true, false]"),
    "quotes": ("separated", ['a"b'], '["a\\"b"]'),
    "a decimal comma is two numbers": ("separated", ["1", "5"], "[1, 5]"),
}

PLACES = {
    "the first": ("3, 1, 2", 0, "3"),
    "the last": ("3, 1, two", 2, "two"),
    "in JSON": ('[1, "x y", 3]', 1, '"x y"'),
    "after a text with an escaped quote": (r'["a\"b", 7]', 1, "7"),
    "in a whole input": ('{"array": [1, oops]}', 1, "oops"),
    "across lines": ("1\n\n2\n x", 2, "x"),
    "a number that stands there twice": ("11 1 11", 2, "11"),
}


@pytest.mark.parametrize(("text", "kind", "tokens"), READ.values(), ids=READ.keys())
def test_pasted_text_is_read_as_tokens(modules: Modules, text: str, kind: str, tokens: list[str]) -> None:
    assert modules.call("lib/numbers.js", "read", text) == {"kind": kind, "tokens": tokens}


@pytest.mark.parametrize(("kind", "tokens", "expected"), TO_JSON.values(), ids=TO_JSON.keys())
def test_tokens_become_json(modules: Modules, kind: str, tokens: list[str], expected: str) -> None:
    assert modules.call("lib/numbers.js", "toJson", {"kind": kind, "tokens": tokens}) == expected


@pytest.mark.parametrize(("text", "index", "expected"), PLACES.values(), ids=PLACES.keys())
def test_the_place_of_a_number_is_found(modules: Modules, text: str, index: int, expected: str) -> None:
    start, end = modules.call("lib/numbers.js", "find", text, index)
    assert text[start:end] == expected
    assert text[:start].count(expected) == (1 if text.startswith("11") else 0)


@pytest.mark.parametrize(("text", "index"), [("", 0), ("1, 2", 2), ("[]", 0)])
def test_a_number_that_is_not_there_has_no_place(modules: Modules, text: str, index: int) -> None:
    assert modules.call("lib/numbers.js", "find", text, index) is None


def test_other_fields_of_an_input_are_kept_apart(modules: Modules) -> None:
    fields = modules.call("lib/numbers.js", "fieldsBeside", f'{{"array": [1], "descending": true, "n": {BIG}}}')
    assert fields == [["descending", "true"], ["n", BIG]]
