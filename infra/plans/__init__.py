"""The plans: every resource that each stage would create in Azure, computed by the Bicep CLI without a network.

`NAME.bicepparam` has the parameters of a stage, `NAME.snapshot.json` the resulting resources. `make plan` writes the
snapshots; they are committed, so that the diff of a change shows its effect on Azure. Values that only Azure knows stay
expressions: `reference(...)`, `environment()`, `newGuid()`, `utcNow()`.
"""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent

PLANS: Final = ("identity", "entra", "dev", "prod", "prod-private")
"""Stages 1 and 2, and stage 3 in each environment and with private networking."""
