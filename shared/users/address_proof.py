"""The addresses that a sign-in vouches for: before the first link is made, and in tokens."""

from collections.abc import Callable

from shared.kernel.names import PASTED, DomainName, EmailAddress
from shared.ports.sign_in import VerifiedIdentity
from shared.users.link import SignInRefused

_MEMBER = 0


class WrongPerson(SignInRefused):
    """Another person signed in than the one whose address was typed."""

    slug = "wrong-person"
    title = "You signed in as somebody else"


class GuestRefused(SignInRefused):
    """A guest signed in, who belongs to another organisation."""

    slug = "guest"
    title = "Guests cannot sign in here"


class AcctMissing(SignInRefused):
    """The ID token lacks `acct` (member or guest), because this service's app registration does not request it."""

    slug = "acct-missing"
    title = "Microsoft does not say whether you are a member"
    again = False


class EmailUnverified(SignInRefused):
    """The tenant does not vouch for the address."""

    slug = "email-unverified"
    title = "Your organisation has not verified this address"
    again = False


def prove_email(identity: VerifiedIdentity, email: EmailAddress) -> None:
    """Prove that the tenant vouches for this member's address, before the first link is made.

    Args:
        identity: the person who signed in.
        email: the address that was typed. Resolution has shown that its domain is verified in this tenant, so a user
            principal name that equals it is in a verified domain, too.

    Raises:
        AcctMissing: it is unknown whether they are a member.
        GuestRefused: they are not a member.
        EmailUnverified: the address is theirs, but not verified.
        WrongPerson: the address is not theirs.
    """
    if identity.acct is None:
        raise AcctMissing(
            "Microsoft does not say whether you are a member of your organisation. The vendor's operators must fix "
            "this: the app registration of this service lacks the optional claim acct in ID tokens."
        )
    if identity.acct != _MEMBER:
        raise GuestRefused("You are a guest in this organisation. Sign in with an account of your own organisation.")
    if email == _address(identity.preferred_username):
        return
    if email == _address(identity.email):
        if identity.xms_edov:
            return
        raise EmailUnverified(
            "Your organisation has not verified the domain of this address. "
            "Ask an administrator of your organisation at Microsoft to verify it."
        )
    signed_in = identity.preferred_username or "somebody else"
    raise WrongPerson(f"You signed in as {signed_in}, and the application asked for {email.address}.")


def vouched_address(
    identity: VerifiedIdentity, typed: EmailAddress, routes: Callable[[DomainName], bool]
) -> EmailAddress | None:
    """The address that tokens may call this person's: the typed one, if this sign-in vouches for it, or another.

    A person may type an address that was theirs once. It is proven by the rules of `prove_email`, at each sign-in.

    Args:
        identity: the person who signed in.
        typed: the address that they typed.
        routes: whether a domain routes to the account. Its tenant has verified such a domain.
    """
    if identity.acct != _MEMBER:
        return None
    email = _address(identity.email) if identity.xms_edov else None
    theirs = [each for each in (_address(identity.preferred_username), email) if each and routes(each.domain)]
    return typed if typed in theirs else next(iter(theirs), None)


def vouched_username(identity: VerifiedIdentity, routes: Callable[[DomainName], bool]) -> EmailAddress | None:
    """The user principal name, if this sign-in vouches for it as an address; the same whatever address was typed.

    Args:
        identity: the person who signed in.
        routes: whether a domain routes to the account. Its tenant has verified such a domain.
    """
    name = _address(identity.preferred_username) if identity.acct == _MEMBER else None
    return name if name is not None and routes(name.domain) else None


def _address(text: str | None) -> EmailAddress | None:
    """The address of a claim. Nobody pastes claims: with something invisible around it, it is not the address."""
    if text is None or text != text.strip(PASTED):
        return None
    try:
        return EmailAddress.parse(text)
    except ValueError:
        return None
