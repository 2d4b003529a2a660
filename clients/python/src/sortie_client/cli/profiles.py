"""`sortie login`: keep an address and a token in the configuration. `sortie completion`: the shell's script."""

from __future__ import annotations

import os
import sys
import tempfile

import click
from click.shell_completion import get_completion_class

from sortie_client.address import LOCAL, config_path, stored_profiles
from sortie_client.cli.context import Context, json_option
from sortie_client.cli.output import put_json
from sortie_client.client import Sortie
from sortie_client.errors import SortieError, Unauthorized


def complete_profile(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        return [name for name in stored_profiles()[1] if name.startswith(incomplete)]
    except SortieError:
        return []


@click.command()
@click.argument("url", required=False)
@click.option("--name", default="default", show_default=True, help="What the profile is called.")
@click.option("--token-stdin", is_flag=True, help="Read the token from stdin.")
@json_option
@click.pass_obj
def login(context: Context, url: str | None, name: str, token_stdin: bool, as_json: bool) -> None:
    """Keep a service's address and a token, and use them from now on.

    The token is asked for where the service wants one; it is tried before it is kept.
    """
    url = url or context.url or click.prompt("address", default=LOCAL, err=True)
    token = sys.stdin.readline().strip() if token_stdin else None
    try:
        role = Sortie(url, token).role()
    except Unauthorized:
        if token or token_stdin or not sys.stdin.isatty():
            raise
        token = click.prompt("token", hide_input=True, err=True).strip()
        role = Sortie(url, token).role()
    path = keep(name, url.rstrip("/"), token)
    if as_json:
        put_json({"profile": name, "url": url, "role": role, "path": path})
    else:
        click.echo(f"logged in to {url} with the role {role}; kept as profile {name} in {path}")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options, ids, tasks and groups.

    bash: eval "$(sortie completion bash)" in ~/.bashrc; likewise zsh; fish: sortie completion fish | source
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "sortie", "_SORTIE_COMPLETE").source())


def keep(name: str, url: str, token: str | None) -> str:
    """Writes the profile, readable by its owner alone, in one step. Gives the path."""
    _, profiles = stored_profiles()
    profiles[name] = {"url": url} | ({"token": token} if token else {})
    lines = [f"default = {_quoted(name)}"]
    for each, fields in profiles.items():
        lines += ["", f"[profiles.{_quoted(each)}]", *(f"{key} = {_quoted(value)}" for key, value in fields.items())]
    path = config_path()
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))  # only its owner may read it
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(temporary, path)
    return path


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
