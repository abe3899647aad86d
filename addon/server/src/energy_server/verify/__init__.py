"""`energy-server verify`: compare what is stored with Home Assistant's recorder, reading by reading.

`recorder.py` reads the recorder's database file, `stored.py` asks the running server, `compare.py` judges,
`command.py` is the command line.
"""
