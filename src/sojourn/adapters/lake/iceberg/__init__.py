"""The lake in Apache Iceberg's tables: written from a cluster's topics, and read like any other lake.

Nothing of pyiceberg is imported before a catalogue is opened: it is an extra (`pip install
'sojourn[iceberg]'`).
"""
