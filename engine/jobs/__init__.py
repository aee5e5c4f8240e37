"""A job's life and control, queues, the list of all jobs, and whose window goes through the network next.

Where jobs run: ``engine.executors``. Imports ``engine.types`` and ``utils`` alone.
"""
