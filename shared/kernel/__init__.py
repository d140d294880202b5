"""The words of the product and its refusals. The kernel is closed: it imports nothing of the product."""
