"""This machine: what it is (``report``), how fast (``benchmark``), how long a job would take (``estimates``).

Imports pixels and backends; the interface, the command line and ``analysis.choice`` import it.
"""
