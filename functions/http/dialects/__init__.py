"""The three ways to word a refusal: to a program, to an OAuth client, and to a person in a browser."""
