"""The rules of the HTTP layer that need no server: addresses, proxies, settings."""

from __future__ import annotations

import sys
import urllib.request

import pytest

from bubble.model.errors import BubbleError
from bubble.model.urls import scrub, shown
from bubble.system.http.address import (
    RedirectRefusedError,
    asked,
    local_path,
    redirected,
    scheme_of,
)
from bubble.system.http.proxies import proxy_for
from bubble.system.http.settings import Settings, offline, settings_from

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "location", "leads_to"),
    [
        ("http://a/x/y", "z", "http://a/x/z"),
        ("http://a/x/y", "/z?q=1#f", "http://a/z?q=1"),
        ("http://a/x", "//b/z", "http://b/z"),
        ("http://a/x", "https://b/z", "https://b/z"),
        ("https://a/x", "//b/z", "https://b/z"),
        ("http://a/x", "http:///z", "http://a/z"),
        # credentials stay with their origin
        ("http://u:p@a/x", "/z", "http://u:p@a/z"),
        ("http://u:p@a/x", "http://a:80/z", "http://u:p@a:80/z"),
        ("http://u:p@a/x", "http://A/z", "http://u:p@A/z"),
        ("http://u:p@a/x", "http://b/z", "http://b/z"),
        ("http://u:p@a/x", "http://a:81/z", "http://a:81/z"),
        ("http://u:p@a/x", "https://a/z", "https://a/z"),
        ("http://u:p@a/x", "//a.b/z", "http://a.b/z"),
        # and none are taken from a redirect
        ("http://a/x", "http://u:p@b/z", "http://b/z"),
        ("http://u:p@a/x", "http://other:pw@a/z", "http://u:p@a/z"),
    ],
)
def test_a_redirect_leads_where_it_may(url: str, location: str, leads_to: str) -> None:
    assert redirected(url, location) == leads_to


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://a/x", "http://a/x"),
        ("https://a/x", "HTTP://b/"),
        ("http://a/x", "file:///etc/passwd"),
        ("http://a/x", "FILE:///etc/passwd"),
        ("http://a/x", "ftp://a/x"),
        ("http://a/x", "data:text/plain,x"),
        ("http://a/x", "http://[::1/"),
        ("http://a/x", "http://a:70000/"),
    ],
)
def test_a_redirect_that_is_dangerous_or_broken_is_refused(url: str, location: str) -> None:
    with pytest.raises(RedirectRefusedError):
        redirected(url, location)


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{SECRET}@host/file",
        f"https://{SECRET}@host/file",
        f"https://host/file?token={SECRET}",
        f"https://host/file#{SECRET}",
        f"http://user:pa/{SECRET}@host/file",
        f"http://user:12/{SECRET}@host/file",
        f"http://user:{SECRET}@[broken/file",
        f"http://user:{SECRET}@host:port/file",
        f"//user:{SECRET}@host/file",
    ],
)
def test_what_is_shown_of_a_url_holds_no_secret(url: str) -> None:
    assert SECRET not in shown(url)
    assert SECRET not in scrub(f"failed to reach '{url.partition('#')[0]}'")
    with pytest.raises(BubbleError) as caught:
        scheme_of(url.replace("http", "ftp"))
    assert SECRET not in caught.value.message


def test_what_is_shown_of_a_url_names_the_file_and_no_control_character() -> None:
    assert shown("https://u:p@host:8443/a/b.tar.gz?x=1") == "https://host:8443/a/b.tar.gz"
    assert shown("file:///a/b") == "file:///a/b"
    assert "\x1b" not in shown("http://host/\x1b[2J")


def test_a_file_url_names_an_absolute_path() -> None:
    assert local_path("file:///a%20b/%25") == "/a b/%"
    assert local_path("file://localhost/a") == "/a"
    for url in ("file:///a?b", "file:///a#b", "file:///a%00b", "file:"):
        with pytest.raises(BubbleError):
            local_path(url)


PROXIES = {
    "HTTPS_PROXY": "http://upper:1",
    "https_proxy": "lower:2",
    "ALL_PROXY": "http://all:3",
    "NO_PROXY": "localhost, 127.0.0.1,::1,[::2]:81,.dotted.org,plain.org,http://scheme:8080,"
    "port.org:81, 10.0.0.0/8,fe80::/10,*.star.org,",
}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://other.org/x", "http://lower:2"),
        ("http://other.org/x", "http://all:3"),
        ("http://localhost/x", ""),
        ("https://LOCALHOST:99/x", ""),
        ("http://127.0.0.1:8/x", ""),
        ("http://127.0.0.2/x", "http://all:3"),
        ("http://[::1]:8/x", ""),
        ("http://[0:0::1]/x", ""),
        ("http://[::2]:81/x", ""),
        ("http://[::2]:82/x", "http://all:3"),
        ("http://dotted.org/x", ""),
        ("http://a.dotted.org/x", ""),
        ("http://undotted.org/x", "http://all:3"),
        ("http://plain.org/x", ""),
        ("http://a.b.plain.org/x", ""),
        ("http://explain.org/x", "http://all:3"),
        ("http://scheme:8080/x", ""),
        ("http://scheme/x", "http://all:3"),
        ("https://scheme:8080/x", "http://lower:2"),
        ("http://port.org:81/x", ""),
        ("http://port.org/x", "http://all:3"),
        ("http://10.200.3.4/x", ""),
        ("http://11.200.3.4/x", "http://all:3"),
        ("http://[fe80::7]/x", ""),
        ("http://a.star.org/x", ""),
        ("http://u:p@plain.org:99/x", ""),
    ],
)
def test_a_proxy_serves_what_the_variables_say(url: str, proxy: str) -> None:
    assert proxy_for(url, PROXIES) == proxy
    assert proxy_for(url, {**PROXIES, "NO_PROXY": "*"}) == ""
    assert proxy_for(url, {**PROXIES, "no_proxy": ""}) != ""


def test_no_variable_is_no_proxy_and_a_cgi_process_is_told_none_by_its_client() -> None:
    assert proxy_for("http://a/x", {}) == ""
    assert proxy_for("http://a/x", {"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}) == ""
    assert proxy_for("http://a/x", {"http_proxy": "b:1", "REQUEST_METHOD": "GET"}) == "http://b:1"


def test_on_macos_the_systems_proxies_count_when_the_variables_say_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system = {"https": "http://system:1", "ftp": "http://system:2"}
    monkeypatch.setattr(urllib.request, "getproxies", lambda: system)
    assert proxy_for("https://a/x", {}) == ""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert proxy_for("https://a/x", {}) == "http://system:1"
    assert proxy_for("http://a/x", {"http_proxy": "own:3"}) == "http://own:3"
    assert proxy_for("https://a/x", {"http_proxy": "own:3"}) == ""


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("http://A.org", "a.org", None, "/"),
        ("http://a:81/b%20c/%zz?d=%&e=ü f#g", "a", 81, "/b%20c/%25zz?d=%25&e=%C3%BC%20f"),
        ("https://[::1]:8/ü", "::1", 8, "/%C3%BC"),
        ("http://u:p@bücher.example/[x]", "xn--bcher-kva.example", None, "/[x]"),
        ("http://a/b+c~d;e=f,g", "a", None, "/b+c~d;e=f,g"),
    ],
)
def test_a_url_is_asked_for_in_ascii(url: str, host: str, port: int | None, target: str) -> None:
    assert asked(url) == (host, port, target)


@pytest.mark.parametrize("host", ["stra\u00dfe.example", "a..ü", "ü" * 64, "\udcff.example"])
def test_a_host_that_has_no_one_form_in_ascii_is_refused(host: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of IDNA's codec, and our own
        asked(f"http://{host}/x")


def test_the_environment_moves_the_settings() -> None:
    env = {
        "BUBBLE_HTTP_TIMEOUT": "60",
        "BUBBLE_HTTP_DEADLINE": "1.5",
        "BUBBLE_HTTP_RETRIES": "0",
        "BUBBLE_HTTP_CONNECTIONS": "2",
    }
    settings = settings_from(env)
    assert (settings.connect_timeout, settings.read_timeout) == (60, 60)
    assert (settings.deadline, settings.attempts, settings.connections) == (1.5, 1, 2)
    assert settings_from(dict.fromkeys(env, " ")) == Settings()


@pytest.mark.parametrize("name", ["TIMEOUT", "DEADLINE", "RETRIES", "CONNECTIONS"])
@pytest.mark.parametrize(
    "value", ["x", "-1", "nan", "inf", "1e999", "99999999999", "\u0661x", "\x1b"]
)
def test_a_value_that_is_no_sensible_number_is_a_usage_error(name: str, value: str) -> None:
    with pytest.raises(BubbleError) as caught:
        settings_from({f"BUBBLE_HTTP_{name}": value})
    assert caught.value.kind == "usage"
    assert f"BUBBLE_HTTP_{name}" in caught.value.message
    assert "\x1b" not in caught.value.message


def test_offline_is_any_value_but_nothing_and_zero() -> None:
    assert [offline({"BUBBLE_OFFLINE": v}) for v in ("", "0", "1", "yes", "false")] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert not offline({})
