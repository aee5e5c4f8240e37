"""What outlives a job: history, presets, names of results, and JSON files that neither a crash nor a neighbour spoils.

The door to presets is ``engine.settings_manager``. Imports ``engine.types`` and ``utils`` alone.
"""
