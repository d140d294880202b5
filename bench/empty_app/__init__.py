"""The app that comparisons with an empty function are served by."""
