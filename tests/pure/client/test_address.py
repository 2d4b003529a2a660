"""Where the service is and which token goes there: arguments, environment, profiles."""

from pathlib import Path

import pytest

from sortie_client.address import LOCAL, resolve
from sortie_client.cli.profiles import keep
from sortie_client.errors import BadProfile

CONFIG = """
default = "team"
[profiles.team]
url = "https://team.example/api/"
token = "team-token"
[profiles.other]
url = "http://other.example"
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / ".config/sortie"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG)
    return {"HOME": str(tmp_path)}


def test_the_environment_comes_before_the_profile(home: dict[str, str]) -> None:
    address = resolve(None, None, None, home | {"SORTIE_URL": "http://env.example/", "SORTIE_TOKEN": "e"})
    assert (address.url, address.token) == ("http://env.example", "e")


def test_a_profiles_token_goes_to_that_profiles_address_only(home: dict[str, str]) -> None:
    assert resolve(None, None, None, home | {"SORTIE_URL": "http://env.example"}).token is None
    assert resolve("http://argument.example", None, "team", home).token is None
    assert resolve("https://team.example/api", None, "team", home).token == "team-token"


def test_profiles_are_chosen_by_argument_by_environment_and_by_default(home: dict[str, str]) -> None:
    assert resolve(None, None, None, home).url == "https://team.example/api"
    assert resolve(None, None, "other", home).url == "http://other.example"
    assert resolve(None, None, None, home | {"SORTIE_PROFILE": "other"}).url == "http://other.example"
    with pytest.raises(BadProfile, match="no profile 'none'.*team, other"):
        resolve(None, None, "none", home)


def test_with_nothing_set_it_is_the_service_of_this_machine(tmp_path: Path) -> None:
    nothing = {"HOME": str(tmp_path)}
    assert resolve(None, None, None, nothing).url == LOCAL
    with pytest.raises(BadProfile, match="a token and no address"):
        resolve(None, None, None, nothing | {"SORTIE_TOKEN": "t"})


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://", "http://a b", "http://x/?q=1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadProfile, match="is no address of a service"):
        resolve(url, None, None, {})


@pytest.mark.parametrize("text", ["nonsense", "profiles = 1", "[profiles.a]\ntoken = 't'", "[profiles.a]\nurl = 1"])
def test_a_broken_configuration_is_named(home: dict[str, str], text: str) -> None:
    path = Path(home["HOME"]) / ".config/sortie/config.toml"
    path.write_text(text)
    with pytest.raises(BadProfile, match="config.toml"):
        resolve(None, None, None, home)


def test_what_login_keeps_is_read_back_and_is_its_owners_alone(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", home["HOME"])
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    path = Path(keep('a "quoted" name\n', "http://new.example", 't"\\\x01é'))
    assert path.stat().st_mode & 0o777 == 0o600
    address = resolve(None, None, None, home)
    assert (address.url, address.token) == ("http://new.example", 't"\\\x01é')
    assert resolve(None, None, "team", home).token == "team-token"
