"""Domains that never route to one account: Microsoft's own, and those where anybody can get an address.

Entra verifies none of the public ones for a customer, so this is a second line of defence and need not be complete.
Collected by hand from the best-known mail services; the vendor's own list of an account's domains is stricter.
"""

from shared.kernel.names import DomainName

_MICROSOFT = (
    ".onmicrosoft.com",
    ".onmicrosoft.us",
    ".onmschina.cn",
    ".partner.onmschina.cn",
    ".microsoftonline.com",
)

_PUBLIC = frozenset(
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


def is_routable(domain: DomainName) -> bool:
    """Whether a domain may route to an account once its tenant has verified it."""
    return not domain.endswith(_MICROSOFT) and domain not in _PUBLIC
