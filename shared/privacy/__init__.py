"""What is kept of people, and its end: people who are erased, events of before, and what was kept for long enough.

`erasure` removes a person from an account: from its list and its links, from their sessions, and from the rows that
say whom the references of its trail stand for. `rewriting` names the persons of older events by reference, once.
`retention` removes old events, and links that nobody uses. All three are duties where one attempt may not be enough.
What a person is to a trail belongs to `shared.trail.persons`.
"""
