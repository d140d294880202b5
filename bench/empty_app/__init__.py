"""The app that serves comparisons with an empty function."""
