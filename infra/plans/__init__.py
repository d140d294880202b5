"""The plans: every resource that each stage would make in Azure, as the Bicep CLI computes them without a network.

`NAME.bicepparam` says with which parameters a stage is deployed, `NAME.snapshot.json` what comes of it. `make plan`
writes the snapshots; they are committed, so that the diff of a change shows what it does to Azure. What only Azure
knows stays an expression: `reference(...)`, `environment()`, `newGuid()`, `utcNow()`.
"""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent

PLANS: Final = ("identity", "entra", "dev", "prod", "prod-private")
"""Stages 1 and 2, and stage 3 in each environment and with private networking."""
