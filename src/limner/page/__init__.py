"""The page that `limner ui` opens, and the same over HTTP.

`app.py` joins them to one program: `blocks.py` is the tab in which photographs are restored and `events.py` what
happens on it, `damage.py` its section in which damage is marked, `people.py` the tab of the album's people, `routes.py`
the way for other programs. What takes time, all give to the queue (`work.py`), which asks `restoring.py`.
"""
