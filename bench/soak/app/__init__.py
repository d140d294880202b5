"""The app that is soaked: the service with one more function, which counts what its process holds."""
