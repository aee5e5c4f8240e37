"""One picture's way: decided (``task``), run (``picture_enhancer``, ``pipeline``, ``upscaler``), finished, recorded.

The door is ``engine.processor``. Imports storage, pixels, models, backends, faces and analysis.
"""
