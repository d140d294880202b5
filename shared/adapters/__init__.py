"""The ports implemented on real services: Azure tables, Entra, Key Vault, the control panel's keys, the clock.

Only `shared.wiring` imports them.
Packages that are slow to import (msal, jwt, aiohttp, azure.core) are imported when first needed, because imports
are the cold start.
"""
