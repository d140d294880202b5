"""How recently a person must have signed in, held against when Microsoft says that they did.

Asking Microsoft proves nothing: whoever sits at an unlocked browser can take `prompt` out of Microsoft's address and
come back on a session of yesterday. The proof is `auth_time` in Microsoft's ID token (OpenID Connect Core, sections 2
and 3.1.2.1), and where it is required and missing, nobody comes in. What follows is decided in `callback`.
"""

from datetime import datetime, timedelta

from shared.provider.authorization_request import AuthorizationRequest
from shared.users.links import SignInRefused

LEEWAY = timedelta(minutes=1)
"""How far Microsoft's clock and ours may be apart."""


class SignInTooOld(SignInRefused):
    """The application wants the person to have signed in more recently than they have."""

    slug = "sign-in-too-old"
    title = "Please sign in again"


class AuthTimeMissing(SignInRefused):
    """Microsoft does not say when the person signed in, because this service's app registration does not ask it to."""

    slug = "auth-time-missing"
    title = "Microsoft does not say when you signed in"
    again = False


def prove_recent(
    request: AuthorizationRequest, auth_time: datetime | None, *, begun_at: datetime, now: datetime
) -> None:
    """Show that the person signed in as recently as the application asks.

    A sign-in since the request began always is: Microsoft's `auth_time` is that of the password, and whoever takes
    their time over the second factor must not be sent round for ever. The leeway is for whoever was told to sign in
    anew; whether anybody has to is decided to the second.

    Args:
        request: with `prompt` and `max_age`, in seconds.
        auth_time: when they signed in, by Microsoft's clock.
        begun_at: when they were sent to Microsoft.
        now: when they came back.

    Raises:
        AuthTimeMissing: it is asked for, and nobody knows.
        SignInTooOld: it is longer ago.
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
