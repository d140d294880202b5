"""The authentication context class reference (`acr`): what Microsoft's ID token says of it, and nothing else.

The customer's Conditional Access defines up to 99 authentication contexts, `c1` to `c99`, and Entra lists in `acrs`
those that a sign-in satisfies
(https://learn.microsoft.com/entra/identity-platform/developer-guide-conditional-access-authentication-context).
"""

ACR_VALUES = tuple(f"c{number}" for number in range(1, 100))
"""Every value that `acr` may have."""


def acr_of(satisfied: tuple[str, ...], asked: tuple[str, ...]) -> str | None:
    """The one context that an ID token names: of those satisfied, the client's first choice, or else Entra's first.

    Args:
        satisfied: `acrs` of Entra's ID token.
        asked: `acr_values` of the request, the most preferred first (OpenID Connect Core, section 3.1.2.1).
    """
    known = [context for context in satisfied if context in ACR_VALUES]
    return next((context for context in (*asked, *known) if context in known), None)
