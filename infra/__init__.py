"""The operators' tools to deploy and run the service. None of them is deployed (.funcignore)."""
