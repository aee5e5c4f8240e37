"""Models as files: which are known, where they come from, whether they are whole, and what network is inside.

The door is ``engine.model_manager``. Imports storage.
"""
