"""An app with one function that does nothing: what the host and the worker library cost by themselves."""
