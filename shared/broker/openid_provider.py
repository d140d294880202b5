"""What the broker package offers: its endpoints, each by the part that answers it."""

from dataclasses import dataclass

from shared.broker.coming_back import ComingBack
from shared.broker.redemption import Redemption
from shared.broker.setting_out import SettingOut
from shared.broker.sign_out import SignOut
from shared.ports.tokens import Tokens


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
