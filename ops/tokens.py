"""Bearer tokens of a stage: `python -m ops.tokens create --owner team-a --role submit --stage prod [--days 90]`.

A token is shown once, when it is made; the table holds its digest. `list` names tokens by the first 12 characters of
that digest, and `revoke` takes this name or the token itself.
"""

import argparse
import os
import secrets
import time
from datetime import UTC, datetime

from chalicelib import config
from chalicelib.aws.records import DynamoRecords
from chalicelib.core.access import Role, is_owner
from chalicelib.core.records import TokenRecord
from chalicelib.service.tokens import hash_token
from dev import command
from dev.settings import BadStart
from ops.account import Account, account_of

NAME_LENGTH = 12
ROLES = [role.name.lower() for role in Role]


def create(records: DynamoRecords, owner: str, role: str, days: float | None, *, now: float) -> str:
    """The token. Owner names are parts of keys, so they are held to a plain form. Raises ValueError."""
    if not is_owner(owner):
        raise ValueError(f"owner {owner!r}: 1 to 64 of a-z, 0-9 and -")
    if role not in ROLES:
        raise ValueError(f"role {role!r}: one of {', '.join(ROLES)}")
    token = secrets.token_urlsafe(32)
    expires_at = None if days is None else round(now + days * 86_400)
    records.add_token(TokenRecord(hash_token(token), owner, role, round(now * 1000), expires_at))
    return token


def revoke(records: DynamoRecords, name: str) -> bool:
    """False when there is no such token."""
    digest = hash_token(name)
    named = [each for each in records.tokens() if each.digest in (name, digest) or each.digest[:NAME_LENGTH] == name]
    for token in named:
        records.remove_token(token.digest)
    return bool(named)


def records_of(account: Account, stage: str) -> DynamoRecords:
    """`TABLE_NAME` in the environment is a table of another name."""
    settings = config.load({**os.environ, "SORTIE_STAGE": stage})
    table = account.client("dynamodb")
    return DynamoRecords(table, table, settings.table)


def main() -> int:
    options = _parser().parse_args()
    account = account_of({**os.environ, "ENDPOINT": options.endpoint or ""})
    records = records_of(account, options.stage)
    if options.command == "create":
        print(create(records, options.owner, options.role, options.days, now=time.time()))
    elif options.command == "list":
        for token in sorted(records.tokens(), key=lambda each: (each.owner, each.created_at)):
            print(_line(token))
    elif revoke(records, options.name):
        print("Revoked. A stage may go on taking it for the minute that it remembers tokens.")
    else:
        raise BadStart(f"no token of {options.stage} is called {options.name!r}")
    return 0


def _owner(text: str) -> str:
    if not is_owner(text):
        raise argparse.ArgumentTypeError(f"owner {text!r}: 1 to 64 of a-z, 0-9 and -")
    return text


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days < 100_000:
        raise argparse.ArgumentTypeError(f"{text}: give a number of days above 0, or leave it out")
    return days


def _line(token: TokenRecord) -> str:
    since = datetime.fromtimestamp(token.created_at / 1000, UTC).date()
    end = datetime.fromtimestamp(token.expires_at, UTC).date() if token.expires_at else "revoked"
    return f"{token.digest[:NAME_LENGTH]}  {token.owner:<24} {token.role:<7} made {since}, until {end}"


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--stage", required=True)
    common.add_argument("--endpoint", default=os.environ.get("ENDPOINT"), help="an emulator's address; AWS without it")
    parser = argparse.ArgumentParser(prog="python -m ops.tokens", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("create", parents=[common], help="print a new token, once")
    new.add_argument(
        "--owner", required=True, type=_owner, help="whose jobs it submits and sees: 1 to 64 of a-z, 0-9, -"
    )
    new.add_argument("--role", required=True, choices=ROLES)
    new.add_argument("--days", type=_days, help="valid for so many days; without it until revoked")
    commands.add_parser("list", parents=[common], help="what there is, without the tokens themselves")
    commands.add_parser("revoke", parents=[common], help="end one").add_argument("name")
    return parser


if __name__ == "__main__":
    command.run(main)
