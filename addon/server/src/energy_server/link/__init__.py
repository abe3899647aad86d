"""The server's end of the Link: the WebSocket that an integration sends its readings through.

| module | what it does |
|---|---|
| `endpoint.py` | /link: hello, one connection for each Site, orderly ends |
| `session.py` | one conversation: numbers, catalog, clock, requests |
| `messages.py` | decode and validate (pure) |
| `ingest.py` | write, then acknowledge |
| `late.py` | what of live claims came late, when an outage is over (pure) |
| `events.py`, `status.py`, `errors.py` | what others are told |

How to wire: open both stores, `ledger = CoverageLedger(state, series.store_id)`, `await ledger.load()`,
`dirty = DirtyMarks(state)`, `await dirty.load()`, then

    links = LinkEndpoint(series=series, state=state, ledger=ledger, dirty=dirty, publish=hub.publish,
                         clock_us=clock_us, server_id=server_id, commit_interval_s=settings.commit_interval_s)
    app.router.add_get("/link", links.handle)

A task calls `ledger.flush()` every `FLUSH_INTERVAL_S`. At the end: `await links.close()`, then `await ledger.close()`,
then the stores. `links.status(site)` says how the Link of a Site is.
"""
