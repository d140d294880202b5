"""What a product does in the background, where nobody waits for it: tests do."""

import asyncio


async def settled() -> None:
    """Wait until nothing runs in the background."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
