"""What is shown of text from outside."""

from __future__ import annotations

import pytest

from bubble.model.errors import BubbleError
from bubble.model.request import parse_request
from bubble.model.text import without_userinfo


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://user:secret@host/a", "see https://****@host/a"),
        ("https://token@host", "https://****@host"),
        ("https://a@b:c@host:1/x, file:///y", "https://****@host:1/x, file:///y"),
        ("https://host/pkg@1.0 by me@there", "https://host/pkg@1.0 by me@there"),
        ("https://host is down: ask a@b", "https://host is down: ask a@b"),
        ("https:// user@host", "https:// user@host"),
        ("nothing", "nothing"),
    ],
)
def test_a_message_has_no_user_and_password_of_an_address(text: str, shown: str) -> None:
    assert without_userinfo(text) == shown


@pytest.mark.parametrize("length", [1, 300])
def test_an_address_is_no_request_and_its_password_is_not_repeated(length: int) -> None:
    with pytest.raises(BubbleError, match="no Python request") as caught:
        parse_request(f"https://user:{'secret' * length}@host/x?token=secret")
    assert "secret" not in caught.value.message + caught.value.hint
