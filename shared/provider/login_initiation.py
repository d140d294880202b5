"""Third-party initiated login (OpenID Connect Core, section 4): a tile or a link elsewhere starts a sign-in.

The browser is sent to the application's registered `initiateLoginUri`, and the application begins its own sign-in, with
its own `state`. So nothing begins here: no state is stored, no cookie is set, and whoever makes a browser come here has
only made it open the application. Nothing of the request leads anywhere but to that address.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.applications.application import ApplicationProfile, find_application
from shared.kernel.addresses import https_address
from shared.kernel.names import ClientId, EmailAddress
from shared.kernel.refusals import Malformed
from shared.ports.table import RowReader
from shared.provider.expected_person import ExpectedPeople, FromBrowser
from shared.provider.parameters import Parameters, one, with_query


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginInitiation:
    """Sends a browser to an application that begins a sign-in."""

    applications: RowReader
    """The registered clients; may be some seconds old."""
    people: ExpectedPeople
    """Knows whom the browser remembers."""
    issuer: str
    """This service's issuer, which the application gets as `iss`."""

    async def start(self, parameters: Parameters, browser: FromBrowser) -> str:
        """The address at which the application begins a sign-in.

        Args:
            parameters: `application`, and those of the standard; nothing in them is trusted.
            browser: what the browser has brought beside them.

        Raises:
            Malformed: the application is unknown, or cannot be started; or a parameter is not what it may be.
            Unavailable: the store does not respond.
        """
        profile = await self._profile(one(parameters, "application"))
        address = profile.initiate_login_uri if profile else None
        if profile is None or address is None:
            raise Malformed(
                "The application cannot be started from here: it is not registered, or has no initiateLoginUri. "
                "The vendor's operators must fix this."
            )
        if one(parameters, "iss") not in {None, self.issuer}:
            raise Malformed("The link names another issuer (iss). Whoever made the link must fix this.")
        return with_query(
            address,
            iss=self.issuer,
            login_hint=self._hint(one(parameters, "login_hint"), browser),
            target_link_uri=_target(one(parameters, "target_link_uri"), profile, address),
        )

    async def _profile(self, client_id: str | None) -> ApplicationProfile | None:
        try:
            application = await find_application(self.applications, ClientId.exact(client_id or ""))
        except ValueError:
            return None
        return application.profile if application else None

    def _hint(self, text: str | None, browser: FromBrowser) -> str | None:
        """The hint that the application gets: an address, and none that would replace the person of this browser.

        Anybody can make a browser come here. A hint at a tenant of theirs, which signs in whoever comes as a user of
        theirs, would let a person work, unaware, in somebody else's account.
        """
        try:
            hinted = EmailAddress.parse(text or "").address
        except ValueError:
            return None
        remembered = self.people.remembered(browser.note)
        return hinted if remembered is None or remembered.email == hinted else None


def _target(target: str | None, profile: ApplicationProfile, address: str) -> str | None:
    """Where the application shall lead in the end: a place of its own, whether or not it checks that itself.

    Raises:
        Malformed: it is somewhere else.
    """
    if target is None:
        return None
    own = {_origin(each) for each in (address, *profile.redirect_uris)}
    try:
        if _origin(https_address(target)) in own:
            return target
    except ValueError:
        pass
    raise Malformed("The link leads to a place that is not the application's (target_link_uri).")


def _origin(address: str) -> tuple[str, str]:
    split = urlsplit(address)
    return split.scheme, split.netloc.lower()
