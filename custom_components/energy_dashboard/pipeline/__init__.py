"""The path of the data inside Home Assistant: select, convert, listen, outbox, link; and recorder, reconcile."""
