"""Where the service is and who asks: arguments, SORTIE_URL and SORTIE_TOKEN, else a profile of the configuration.

~/.config/sortie/config.toml:

    default = "team"
    [profiles.team]
    url = "https://abc.execute-api.eu-central-1.amazonaws.com/api"
    token = "..."
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from sortie_client.errors import BadProfile

LOCAL = "http://127.0.0.1:8000"
"""Where `make run` serves: what is asked when nothing says otherwise."""


class Address(msgspec.Struct, frozen=True):
    """`url` has no slash at its end. `source`: where it comes from, for messages."""

    url: str
    token: str | None
    source: str

    def __repr__(self) -> str:
        return f"Address({self.url!r}, token {'given' if self.token else 'none'}, from {self.source})"


def resolve(
    url: str | None, token: str | None, profile: str | None, environ: Mapping[str, str] | None = None
) -> Address:
    """Raises BadProfile. A profile's token goes to that profile's address only."""
    env = os.environ if environ is None else environ
    url_given, token_given = url or env.get("SORTIE_URL"), token or env.get("SORTIE_TOKEN") or None
    if url_given and not profile:
        return Address(_checked(url_given), token_given, "the arguments" if url else "SORTIE_URL")
    name, stored = _profile(profile or env.get("SORTIE_PROFILE"), env)
    if stored is None:
        if token_given:
            raise BadProfile("there is a token and no address: set SORTIE_URL, or run `sortie login URL`")
        return Address(LOCAL, None, "no configuration")
    address = Address(_checked(stored["url"]), stored.get("token"), f"profile {name}")
    if url and _checked(url) != address.url:
        return Address(_checked(url), token, "the arguments")
    return Address(address.url, token or address.token, address.source)


def config_path(environ: Mapping[str, str] | None = None) -> str:
    env = os.environ if environ is None else environ
    base = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".config")
    return os.path.join(base, "sortie", "config.toml")


def stored_profiles(environ: Mapping[str, str] | None = None) -> tuple[str | None, dict[str, dict[str, str]]]:
    """The default profile's name, and all of them. Raises BadProfile."""
    path = config_path(environ)
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except FileNotFoundError:
        return None, {}
    except OSError as error:
        raise BadProfile(f"{path} cannot be read: {error.strerror}") from None
    import tomllib  # only who has a configuration pays for its reader

    try:
        config = tomllib.loads(raw.decode())
    except ValueError as error:
        raise BadProfile(f"{path} is not TOML: {error}") from None
    return _read(config, path)


def _read(config: Mapping[str, Any], path: str) -> tuple[str | None, dict[str, dict[str, str]]]:
    profiles, default = config.get("profiles", {}), config.get("default")
    if not isinstance(profiles, dict) or not isinstance(default, str | None):
        raise BadProfile(f'{path}: write default = "NAME" and a table [profiles.NAME] with url and token')
    for name, profile in profiles.items():
        fields = profile.items() if isinstance(profile, dict) else [("url", None)]
        if "url" not in dict(fields) or not all(isinstance(value, str) for _, value in fields):
            raise BadProfile(f"{path}: [profiles.{name}] needs url, and token where the service wants one, as text")
    return default, profiles


def _profile(chosen: str | None, env: Mapping[str, str]) -> tuple[str, dict[str, str] | None]:
    default, profiles = stored_profiles(env)
    name = chosen or default or "default"
    if name not in profiles and (chosen or default):
        known = ", ".join(profiles) or "none yet"
        raise BadProfile(f"there is no profile {name!r} in {config_path(env)} ({known}): run `sortie login`")
    return name, profiles.get(name)


def _checked(url: str) -> str:
    url = url.strip().rstrip("/")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https") or not rest or any(c in rest for c in " ?#"):
        raise BadProfile(f"{url!r} is no address of a service: write it like {LOCAL} or https://host/stage")
    return url
