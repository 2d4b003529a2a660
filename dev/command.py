"""What every command does with what a person can mend: it says so in a line and ends, without a traceback."""

import errno
import sys
from collections.abc import Callable
from typing import NoReturn

from botocore import exceptions as boto

from chalicelib.config import BadSetting
from dev.client import NoAnswer
from dev.settings import BadStart

CREDENTIALS = "Name a profile in AWS_PROFILE, or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
SURROUNDINGS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST)


def run(main: Callable[[], int | None]) -> NoReturn:
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if (message := explain(error)) is None:
            raise
        print(message, file=sys.stderr, flush=True)
        sys.exit(1)


def explain(error: BaseException) -> str | None:
    """What to tell a person; None for a bug. What an error was raised from is asked too: it may know more."""
    match error:
        case BadStart() | BadSetting() | NoAnswer():
            return str(error)
        case boto.NoRegionError():
            return "No region: give one in AWS_REGION, or in the profile that AWS_PROFILE names."
        case boto.ProfileNotFound():
            return f"{error}. AWS_PROFILE names a profile of ~/.aws/config."
        case boto.NoCredentialsError() | boto.PartialCredentialsError() | boto.CredentialRetrievalError():
            return f"No credentials: {error}. {CREDENTIALS}"
        case boto.HTTPClientError():
            return f"AWS is not within reach: {error}"
        case boto.ClientError():
            return _refused(error)
        case boto.BotoCoreError():
            return str(error)
        case OSError() if error.errno in SURROUNDINGS:
            return f"{error.filename or 'The disk'}: {error.strerror}"
    return explain(error.__cause__) if error.__cause__ is not None else None


def _refused(error: boto.ClientError) -> str:
    code, words = (str(error.response.get("Error", {}).get(key, "")) for key in ("Code", "Message"))
    advice = f" {CREDENTIALS}" if "Token" in code or code in ("SignatureDoesNotMatch", "AuthFailure") else ""
    return f"{error.operation_name} was refused: {code}: {words}{advice}"
