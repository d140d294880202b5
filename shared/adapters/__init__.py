"""The ports kept on real parts: Azure tables, Entra, the control panel's keys, the clock.

Only `shared.wiring` knows them.
What is slow to import (msal, jwt, aiohttp, azure.identity) is imported when first needed, because importing is the
cold start.
"""
