"""The program as an application among others: a window of its own, files that are opened in it, entries in menus."""
