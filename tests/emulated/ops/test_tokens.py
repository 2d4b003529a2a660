"""Tokens are made for plain owner names and known roles alone."""

from typing import Any

import pytest

from ops import tokens


class Book:
    def __init__(self) -> None:
        self.held: list[Any] = []

    def add_token(self, token: Any) -> None:
        self.held.append(token)


@pytest.mark.parametrize("owner", ["", "a#b", "a/b", "A", "a b", "x" * 65, "ä", "a\n"])
def test_an_owner_that_would_break_a_key_is_refused(owner: str) -> None:
    book: Any = Book()
    with pytest.raises(ValueError, match="owner"):
        tokens.create(book, owner, "read", None, now=0)
    assert not book.held


def test_what_is_stored_is_the_digest_the_role_and_the_end() -> None:
    book: Any = Book()
    token = tokens.create(book, "team-a", "submit", 90, now=1000)
    (stored,) = book.held
    assert token not in str(stored)
    assert len(token) == 43
    assert (stored.owner, stored.role, stored.expires_at) == ("team-a", "submit", 1000 + 90 * 86_400)
