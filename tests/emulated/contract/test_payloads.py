"""Objects: put, get, copied, measured, and reached by links that are really used."""

from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.errors import PayloadMissing, TooLarge
from dev.client import fetch
from tests.emulated.contract.conftest import Ground
from tests.support.fakes import START
from tests.support.rows import new_id

LARGE = 10_000_000


def test_bytes_come_back_as_they_were(ground: Ground) -> None:
    key, data = f"inputs/{new_id()}", bytes(range(256)) * 5_000
    ground.payloads.put(key, data)
    assert ground.payloads.get(key, LARGE) == data
    stat = ground.payloads.stat(key)
    assert stat is not None
    assert stat.size == len(data)
    assert ground.payloads.copy(key, f"{key}-kept", stat.etag)
    ground.payloads.put(key, b"")
    assert ground.payloads.get(f"{key}-kept", LARGE) == data
    assert (ground.payloads.get(key, 0), ground.payloads.stat(key) == stat) == (b"", False)


def test_a_copy_is_made_of_the_very_object_that_was_looked_at(ground: Ground) -> None:
    if ground.name == "moto":
        pytest.skip("moto copies whatever CopySourceIfMatch says; MiniStack and S3 do not")
    key = f"uploads/{new_id()}"
    ground.payloads.put(key, b"[1]")
    stat = ground.payloads.stat(key)
    assert stat is not None
    ground.payloads.put(key, b"[2]")
    assert not ground.payloads.copy(key, f"{key}-kept", stat.etag)
    assert not ground.payloads.copy(f"{key}-none", f"{key}-kept", stat.etag)
    assert ground.payloads.stat(f"{key}-kept") is None


def test_no_more_is_read_than_the_reader_takes(ground: Ground) -> None:
    key = f"inputs/{new_id()}"
    ground.payloads.put(key, b"12345")
    assert ground.payloads.get(key, 5) == b"12345"
    with pytest.raises(TooLarge):
        ground.payloads.get(key, 4)


def test_what_is_not_there_is_said_to_be_missing(ground: Ground) -> None:
    key = f"inputs/{new_id()}"
    with pytest.raises(PayloadMissing):
        ground.payloads.get(key, LARGE)
    assert ground.payloads.stat(key) is None
    ground.payloads.check()


def test_a_link_names_its_object_and_ends(ground: Ground) -> None:
    key = f"outputs/{new_id()}/1"
    assert key in ground.payloads.link(key)
    link = ground.payloads.upload_link(key, START, 10)
    assert key in link.href
    assert link.expires_at == START + 900_000
    if ground.stage is not None:
        query = parse_qs(urlsplit(link.href).query)
        assert query["X-Amz-Expires"] == ["900"]
        assert set(query["X-Amz-SignedHeaders"][0].split(";")) >= {"host", "content-length", "content-type"}


def test_an_upload_link_takes_a_put_and_a_link_gives_it_back(ground: Ground) -> None:
    if ground.stage is None or ground.stage.endpoint is None:
        pytest.skip("there is no HTTP server behind this one")
    key = f"uploads/alice/{new_id()}"
    upload = ground.payloads.upload_link(key, START, 11)
    assert fetch("PUT", upload.href, b"[3, 1, 2.5]", upload.headers, timeout=10).status == 200
    assert ground.payloads.get(key, LARGE) == b"[3, 1, 2.5]"
    answer = fetch("GET", ground.payloads.link(key), timeout=10)
    assert (answer.raw, answer.headers["Content-Type"]) == (b"[3, 1, 2.5]", "application/json")
    assert fetch("GET", ground.payloads.link(f"{key}-not-there"), timeout=10).status == 404
