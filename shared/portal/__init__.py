"""The portal: hosted pages with the panel, for vendors whose control panel cannot embed it.

The control panel asks for a link in the name of one person (`entry`). Its page spends nothing; its button begins a
session (`session` has the record and draws its states), which `sessions` proves, lists and ends. A session is the right
of one person in one account, and never that of an Operator. What a request must show besides is for `functions.http`.
"""
