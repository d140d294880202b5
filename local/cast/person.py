"""The people of the local directory (`local/entra/directory.toml`) whom the stories are about."""

from typing import Final

PASSWORD: Final = "Local-pass-1"
"""Everybody's."""

ADA: Final = "ada@contoso.example"
"""Contoso's administrator."""

ALICE: Final = "alice@contoso.example"
"""Works at Contoso."""

CAROL: Final = "carol@contoso-mail.example"
"""Works at Contoso, and keeps the vendor's password."""
