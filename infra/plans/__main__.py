"""`make plan`: compute every plan again."""

import sys

from infra.plans import FOLDER, PLANS
from infra.plans.bicep import NoBicepError, RefusedError, write_snapshot


def main() -> int:
    """Write the snapshots, or the compiler's errors."""
    try:
        for plan in PLANS:
            write_snapshot(FOLDER / f"{plan}.bicepparam")
            print(f"infra/plans/{plan}.snapshot.json")
    except (NoBicepError, RefusedError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
