"""Domains that do not route to one account: Microsoft's own, and those where anybody can get an address.

Entra verifies none of the public ones for a customer, so this is a second line of defence and need not be complete. The
list is a file of another project, with its source, licence and date on top; `make public-domains` renews it. It names a
few domains of organisations, too, so a domain of the list routes if the vendor names it for the account. Domains in
`_NEVER` never route.
"""

from functools import cache
from pathlib import Path

from shared.kernel.names import DomainName

_FILE = Path(__file__).with_name("public_domains.txt")

_MICROSOFT = (
    ".onmicrosoft.com",  # and below it .mail.onmicrosoft.com, of hybrid Exchange
    ".onmicrosoft.us",  # US Government, GCC High and DoD
    ".onmschina.cn",  # China: .partner.onmschina.cn
    ".onmicrosoft.de",  # Germany, until 2021
    ".onms.fr",  # sovereign clouds in Europe and Asia, whose hosts are login.sovcloud-identity.{fr,de,sg}
    ".onms.de",
    ".onms.sg",
    ".microsoftonline.com",  # before there was onmicrosoft.com
    ".microsoftonline.us",
    ".microsoftonline.de",
    ".microsoftonline.cn",
)
"""Where tenants of each cloud get their initial domain."""

_NEVER = frozenset(
    {
        "126.com", "163.com", "aol.com", "att.net", "bigpond.com", "btinternet.com", "comcast.net", "cox.net",
        "daum.net", "duck.com", "fastmail.com", "fastmail.fm", "foxmail.com", "free.fr", "gmail.com", "gmx.at",
        "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hanmail.net", "hey.com", "hotmail.co.uk",
        "hotmail.com", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "icloud.com", "inbox.ru", "laposte.net",
        "libero.it", "list.ru", "live.ca", "live.co.uk", "live.com", "live.de", "live.fr", "live.nl", "mac.com",
        "mail.com", "mail.ru", "me.com", "msn.com", "naver.com", "orange.fr", "outlook.com", "outlook.de",
        "outlook.es", "outlook.fr", "passport.com", "pm.me", "proton.me", "protonmail.ch", "protonmail.com",
        "qq.com", "rediffmail.com", "rocketmail.com", "sbcglobal.net", "sina.com", "sohu.com", "t-online.de",
        "tutanota.com", "tuta.com", "verizon.net", "wanadoo.fr", "web.de", "yahoo.ca", "yahoo.co.in", "yahoo.co.jp",
        "yahoo.co.uk", "yahoo.com", "yahoo.com.br", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.com",
        "yandex.ru", "yeah.net", "ymail.com", "zoho.com", "zohomail.com",
    }
)  # fmt: skip
"""The best-known mail services, whatever the vendor names and whatever becomes of the list."""


def is_routable(domain: DomainName, *, named: bool = False) -> bool:
    """Whether a domain may route to an account once its tenant has verified it.

    Args:
        domain: the domain.
        named: whether the vendor names it as this account's.
    """
    if f".{domain}".endswith(_MICROSOFT) or domain in _NEVER:
        return False
    return named or domain not in _listed()


@cache
def _listed() -> frozenset[str]:
    """The list, read when it is first needed: the import is the cold start."""
    lines = _FILE.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
