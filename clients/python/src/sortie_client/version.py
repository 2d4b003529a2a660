"""The version of this client, as pyproject.toml has it."""

VERSION = "0.1.0"
