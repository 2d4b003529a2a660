"""lib/exact.js: JSON is read without a digit lost, where JSON.parse would round."""

import pytest

from tests.stacks.browser.modules import Modules

BIG = "123456789012345678901234567890"
FINE = "0.1000000000000000055511151231257827"

MEMBERS = {
    "an empty object": ("{}", {}),
    "a big integer": (f'{{"a": {BIG}}}', {"a": BIG}),
    "what a double would round": (
        f'{{"a": {FINE}, "b": 1.0, "c": -0, "d": 1E+400}}',
        {"a": FINE, "b": "1.0", "c": "-0", "d": "1E+400"},
    ),
    "a nested array, as it was written": (
        f'{{"array": [ {BIG},1.50 ], "n": null}}',
        {"array": f"[ {BIG},1.50 ]", "n": "null"},
    ),
    "commas, braces and quotes in text": (r'{"a,\"{": "}],\\", "b": 2}', {'a,"{': r'"}],\\"', "b": "2"}),
    "an escaped name": (r'{"caf\u00e9": 1}', {"café": "1"}),
    "the last of two": ('{"a": 1, "a": 2}', {"a": "2"}),
    "objects in objects": ('{"a": {"b": [{"c": 1}]}, "d": []}', {"a": '{"b": [{"c": 1}]}', "d": "[]"}),
    "white space everywhere": (' \n{ "a"\t:\n 1 , "b" : [ ] } ', {"a": "1", "b": "[ ]"}),
}

ELEMENTS = {
    "none": ("[]", []),
    "none, with a blank": ("[ ]", []),
    "one": (f"[{BIG}]", [BIG]),
    "digits as they were sent": (f"[3, {BIG} ,\n-0.0,1e5, {FINE}]", ["3", BIG, "-0.0", "1e5", FINE]),
    "text that holds commas": ('["a,b", "]", "\\""]', ['"a,b"', '"]"', '"\\""']),
    "arrays in arrays": ("[[1, 2], [], [[3]]]", ["[1, 2]", "[]", "[[3]]"]),
    "objects": ('[{"a": [1, 2]}, 3]', ['{"a": [1, 2]}', "3"]),
}

PRETTY = {
    "an empty object": ("{}", "{}"),
    "a flat array stays on one line": (f"[1,{BIG},1.0]", f"[1, {BIG}, 1.0]"),
    "an object": (f'{{"a":{BIG},"b":[1,2]}}', f'{{\n  "a": {BIG},\n  "b": [1, 2]\n}}'),
    "deeper": ('{"a":[[1],{"b":2.50}]}', '{\n  "a": [\n    [1],\n    {\n      "b": 2.50\n    }\n  ]\n}'),
    "a scalar": (' "x" ', '"x"'),
}


@pytest.mark.parametrize(("text", "expected"), MEMBERS.values(), ids=MEMBERS.keys())
def test_members_keep_their_text(modules: Modules, text: str, expected: dict[str, str]) -> None:
    assert modules.call("lib/exact.js", "members", text) == expected


@pytest.mark.parametrize(("text", "expected"), ELEMENTS.values(), ids=ELEMENTS.keys())
def test_elements_keep_their_text(modules: Modules, text: str, expected: list[str]) -> None:
    assert modules.call("lib/exact.js", "elements", text) == expected


@pytest.mark.parametrize(("raw", "expected"), PRETTY.values(), ids=PRETTY.keys())
def test_laid_out_text_holds_the_same_tokens(modules: Modules, raw: str, expected: str) -> None:
    assert modules.call("lib/exact.js", "pretty", raw) == expected


@pytest.mark.parametrize("text", ["0", "-0", "7", BIG, "1.5", "-1.50", "1e5", "1E-400", "0.1e+2"])
def test_numbers_of_json_are_numbers(modules: Modules, text: str) -> None:
    assert modules.call("lib/exact.js", "isNumber", text) is True


@pytest.mark.parametrize(
    "text", ["", "01", "+1", ".5", "1.", "0x10", "NaN", "Infinity", "1e", "1 2", "--1", "1_000", "١"]
)
def test_what_json_does_not_know_is_no_number(modules: Modules, text: str) -> None:
    assert modules.call("lib/exact.js", "isNumber", text) is False


def test_many_numbers_keep_order_and_digits(modules: Modules) -> None:
    numbers = [str(10**30 + n) for n in range(5_000)]
    assert modules.call("lib/exact.js", "elements", f"[{','.join(numbers)}]") == numbers
