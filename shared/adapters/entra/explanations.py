"""Entra's error numbers as sentences that name who must do what.

Decisions depend on OAuth's `error`; the AADSTS number only explains
(https://learn.microsoft.com/entra/identity-platform/reference-error-codes). Entra's own text is never repeated: it may
contain names and addresses.
"""

import re
from collections.abc import Mapping

_NUMBER = re.compile(r"AADSTS(\d{4,7})")

_ADMIN = "Ask an administrator of your organisation at Microsoft"
_VENDOR = "The vendor's operators must fix this:"

_NOT_TRUSTED = (
    f"{_VENDOR} no federated credential of the app registration names the managed identity of this service, with "
    "this issuer, subject and audience."
)

_WORDS = {
    50011: f"{_VENDOR} the redirect URI of this service is not in its app registration.",
    50020: "This account is not a member of the organisation. Sign in with an account of that organisation.",
    50034: "There is no such account in the organisation. Check the address, or sign in with another account.",
    50053: f"The account is locked after too many attempts. Wait a while. {_ADMIN} if it stays locked.",
    50057: f"The account is disabled. {_ADMIN} to enable it.",
    50058: "Nobody was signed in at Microsoft. Try again and sign in there.",
    50076: "Microsoft asks for a second factor. Try again and complete it.",
    50079: "Microsoft asks you to register a second factor. Try again and follow its steps.",
    50105: f"You are not assigned to this application. {_ADMIN} to assign you to it.",
    50194: f"{_VENDOR} the app registration is not multi-tenant.",
    51004: "There is no such account in the organisation. Check the address, or sign in with another account.",
    53003: f"Your organisation's Conditional Access does not allow this sign-in. {_ADMIN}.",
    54005: "This sign-in was already completed. Start again.",
    65001: f"Your organisation has not consented. {_ADMIN} to accept the consent page.",
    65004: "The consent page was declined. Start again, and accept it to go on.",
    70008: "This sign-in took too long. Start again.",
    70021: _NOT_TRUSTED,
    90002: "There is no such organisation at Microsoft. Start again.",
    90072: "This account is not a member of the organisation. Sign in with an account of that organisation.",
    90094: f"Only an administrator can consent to this. {_ADMIN} to start the integration.",
    90095: f"Your request for approval was sent. {_ADMIN} to approve it, then start again.",
    500212: f"Your organisation's cross-tenant settings do not allow this. {_ADMIN}.",
    500213: f"Your organisation's cross-tenant settings do not allow this. {_ADMIN}.",
    530032: f"Your organisation's security policy does not allow this sign-in. {_ADMIN}.",
    650052: f"Your organisation lacks a service that this application needs. {_ADMIN}.",
    650056: f"{_VENDOR} the app registration lacks permissions.",
    700005: "This sign-in belongs to another organisation. Start again.",
    700016: f"Your organisation has not consented, or has removed this application. {_ADMIN} to consent again.",
    700027: f"{_VENDOR} Microsoft does not accept the credential of this service.",
    700211: _NOT_TRUSTED,
    700212: _NOT_TRUSTED,
    700213: _NOT_TRUSTED,
    7000112: f"Your organisation has disabled this application. {_ADMIN} to enable it.",
    7000215: f"{_VENDOR} Microsoft does not accept the secret of this service.",
    7000222: f"{_VENDOR} the secret of this service has expired.",
    7000229: f"Your organisation has not consented, or has removed this application. {_ADMIN} to consent again.",
}

_WITHOUT_NUMBER = {
    "access_denied": f"Microsoft did not let you sign in, or you cancelled. Try again. {_ADMIN} if this happens again.",
    "temporarily_unavailable": "Microsoft is unavailable at the moment. Try again in a few minutes.",
    "server_error": "Microsoft is unavailable at the moment. Try again in a few minutes.",
}

_AT_CONSENT = _WITHOUT_NUMBER | {
    "access_denied": "The consent page was declined. Start again, and accept it if you want to connect.",
}


def number_in(description: str) -> int | None:
    """The first AADSTS number in an error description, if there is one."""
    found = _NUMBER.search(description)
    return int(found[1]) if found else None


def explain(error: str, description: str) -> str:
    """What an error at a sign-in means and who must do what, with the number for support."""
    return _explained(error, description, _WITHOUT_NUMBER)


def explain_consent(error: str, description: str) -> str:
    """What an error means where an administrator consents, or where a consent is missing."""
    return _explained(error, description, _AT_CONSENT)


def _explained(error: str, description: str, without_number: Mapping[str, str]) -> str:
    number = number_in(description)
    words = _WORDS.get(number) if number is not None else None
    if words is None:
        words = without_number.get(error, f"Microsoft refused. Try again. {_ADMIN} if this happens again.")
    return f"{words} (AADSTS{number})" if number is not None else words


def reason(error: str, description: str) -> str:
    """The category by which an error is counted. Any browser can send any number, so only known ones are told apart."""
    number = number_in(description)
    if number in _WORDS:
        return f"AADSTS{number}"
    return error if error in _WITHOUT_NUMBER else "unknown"
