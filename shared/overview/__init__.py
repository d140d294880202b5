"""What an account's control panel shows first, put together from the rows of the other packages.

It only reads. Who changes a row is the business of the package that owns it.
"""
