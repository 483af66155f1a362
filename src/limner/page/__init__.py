"""The page that `limner ui` opens, and the same over HTTP.

`app.py` joins them to one program: `blocks.py` is the page and `events.py` what happens on it, `routes.py` the way for
other programs. What takes time, both give to the queue (`work.py`), which asks `restoring.py`.
"""
