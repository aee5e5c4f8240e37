"""What a picture is like (content, noise, compression, blur), and which model suits it.

The door is ``engine.intelligent_enhancer``. Imports models and machine.
"""
