"""Faces: found, chosen, aligned, restored, guarded and pasted back.

The door is ``engine.face_restorer``. Imports storage, pixels, models and backends.
"""
