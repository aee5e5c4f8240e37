"""One module a tab: ``build`` makes its components and connects its handlers."""
