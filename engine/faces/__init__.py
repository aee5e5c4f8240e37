"""Faces: judging detections, aligning, restoring, guarding and pasting back. Entry: ``engine.face_restorer``."""
