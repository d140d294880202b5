"""How recently a person must have signed in, compared with the time that Microsoft reports.

Asking Microsoft proves nothing: a person at an unlocked browser can remove `prompt` from Microsoft's address and return
with yesterday's session. The proof is `auth_time` in Microsoft's ID token (OpenID Connect Core, sections 2 and
3.1.2.1); where it is required and missing, nobody is admitted. `callback` decides what follows.
"""

from datetime import datetime, timedelta

from shared.provider.authorization_request import AuthorizationRequest
from shared.users.link import SignInRefused

LEEWAY = timedelta(minutes=1)
"""How far Microsoft's clock and ours may differ."""


class SignInTooOld(SignInRefused):
    """The application requires a more recent sign-in than the person's."""

    slug = "sign-in-too-old"
    title = "Please sign in again"


class AuthTimeMissing(SignInRefused):
    """The ID token lacks `auth_time`, because this service's app registration does not request it."""

    slug = "auth-time-missing"
    title = "Microsoft does not say when you signed in"
    again = False


def prove_recent(
    request: AuthorizationRequest, auth_time: datetime | None, *, begun_at: datetime, now: datetime
) -> None:
    """Prove that the person signed in as recently as the application requires.

    A sign-in after the request began always counts as recent: Microsoft's `auth_time` is the time of the password, and
    a person who is slow with the second factor must not be sent back for ever. The leeway applies only to a login that
    was asked for; whether one is needed is decided to the second.

    Args:
        request: with `prompt` and `max_age`, in seconds.
        auth_time: when they signed in, by Microsoft's clock.
        begun_at: when they were sent to Microsoft.
        now: when they came back.

    Raises:
        AuthTimeMissing: it is required, and `auth_time` is missing.
        SignInTooOld: the sign-in is longer ago.
    """
    if request.asks_for_login:
        earliest = begun_at - LEEWAY
    elif request.max_age is not None:
        earliest = min(begun_at, now - timedelta(seconds=request.max_age)).replace(microsecond=0)
    else:
        return
    if auth_time is None:
        raise AuthTimeMissing(
            "The application must know when you signed in. The vendor's operators must fix this: "
            "the app registration of this service lacks the optional claim auth_time in ID tokens."
        )
    if auth_time < earliest:
        raise SignInTooOld(
            "The application requires a more recent sign-in. Sign in again, with your password at Microsoft."
        )
