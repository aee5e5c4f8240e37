"""The recipe of the embedded model. ``python -m training.train --help`` starts it."""
