"""What the package offers: its endpoints, each by the part that answers it."""

from dataclasses import dataclass

from shared.ports.tokens import Tokens
from shared.provider.authorize import SettingOut
from shared.provider.callback import ComingBack
from shared.provider.end_session import SignOut
from shared.provider.token import Redemption


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdProvider:
    """The OpenID provider towards the vendor's applications."""

    setting_out: SettingOut
    """The authorization endpoint."""
    coming_back: ComingBack
    """The callback, where Entra sends a person back to."""
    redemption: Redemption
    """The token endpoint and userinfo."""
    sign_out: SignOut
    """The end of a session, begun here or at Entra."""
    tokens: Tokens
    """The key set by which others verify our tokens."""
