"""Bearer tokens of a stage: `python -m ops.tokens create --owner team-a --role submit --stage prod [--days 90]`.

A token is shown once, when it is made; the table holds its digest. `list` names tokens by the first 12 characters of
that digest, and `revoke` takes this name or the token itself.

A revoked token leaves running what it has started. `revoke NAME --and-stop` also removes the schedules of its owner,
cancels what waits and asks what runs to stop, where the owner has no other token.
"""

import argparse
import os
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime

from chalicelib import config, wiring
from chalicelib.aws.dynamodb import DynamoJobs
from chalicelib.aws.ecs import EcsContainers
from chalicelib.aws.records import DynamoRecords
from chalicelib.aws.sqs import SqsQueue
from chalicelib.core.access import Role, is_owner
from chalicelib.core.records import TokenRecord
from chalicelib.core.shards import Shards
from chalicelib.ports import Ports
from chalicelib.service.stop import Stopped, stop_owner
from chalicelib.service.tokens import hash_token
from dev import command
from dev import shards as kept_shards
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


def revoke(records: DynamoRecords, name: str) -> list[str]:
    """The owners of the tokens that were called so; none when there is no such token."""
    digest = hash_token(name)
    named = [each for each in records.tokens() if each.digest in (name, digest) or each.digest[:NAME_LENGTH] == name]
    for token in named:
        records.remove_token(token.digest)
    return sorted({token.owner for token in named})


def stop(ports: Ports, records: DynamoRecords, owner: str, *, now: float) -> Stopped:
    """What the owner has going. Raises BadStart where another token could still do it."""
    valid = [each for each in records.tokens() if each.expires_at is None or each.expires_at > now]
    others = [each.digest[:NAME_LENGTH] for each in valid if each.owner == owner]
    if others:
        raise BadStart(f"nothing was stopped: {owner} has other tokens ({', '.join(others)}); revoke these first")
    return stop_owner(ports, owner, by="ops.tokens")


def records_of(account: Account, stage: str) -> DynamoRecords:
    """`TABLE_NAME` in the environment is a table of another name."""
    table, name = account.client("dynamodb"), _settings(stage).table
    return DynamoRecords(table, table, name, Shards())  # rows of tokens are in one part


def ports_of(account: Account, stage: str) -> Ports:
    """All that is used here asks this account, which is an emulator's or the operator's; nothing needs the bucket."""
    table, engine, settings = account.client("dynamodb"), account.client("ecs"), _settings(stage)
    shards = kept_shards.seen(table, settings.table) or Shards()
    return replace(
        wiring.ports(settings),
        jobs=DynamoJobs(table, table, table, settings.table, shards),
        records=DynamoRecords(table, table, settings.table, shards),
        queue=SqsQueue(account.client("sqs"), wiring.lanes(settings), settings.dead_queue),
        containers=EcsContainers(engine, engine, account.client("logs"), wiring.ecs_settings(settings)),
    )


def _settings(stage: str) -> config.Settings:
    return config.load({**os.environ, "SORTIE_STAGE": stage})


def main() -> int:
    options = _parser().parse_args()
    account = account_of({**os.environ, "ENDPOINT": options.endpoint or ""})
    records = records_of(account, options.stage)
    if options.command == "create":
        print(create(records, options.owner, options.role, options.days, now=time.time()))
    elif options.command == "list":
        for token in sorted(records.tokens(), key=lambda each: (each.owner, each.created_at)):
            print(_line(token))
    elif options.command == "stop":
        _say_stopped(account, options.stage, options.owner)
    else:
        _revoke_and_say(records, account, options)
    return 0


def _revoke_and_say(records: DynamoRecords, account: Account, options: argparse.Namespace) -> None:
    owners = revoke(records, options.name)
    if not owners:
        raise BadStart(f"no token of {options.stage} is called {options.name!r}")
    print("Revoked. A stage may go on taking it for the minute that it remembers tokens.")
    for owner in owners if options.and_stop else ():
        _say_stopped(account, options.stage, owner)
        print(f"For what it starts in that minute: python -m ops.tokens stop --owner {owner} --stage {options.stage}")


def _say_stopped(account: Account, stage: str, owner: str) -> None:
    done = stop(ports_of(account, stage), records_of(account, stage), owner, now=time.time())
    print(f"Stopped {done.jobs} jobs and removed {done.schedules} schedules of {owner}.")


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
    end = commands.add_parser("revoke", parents=[common], help="end one")
    end.add_argument("name")
    end.add_argument("--and-stop", action="store_true", help="and all that its owner has going")
    stopping = commands.add_parser("stop", parents=[common], help="all that an owner without tokens has going")
    stopping.add_argument("--owner", required=True, type=_owner)
    return parser


if __name__ == "__main__":
    command.run(main)
