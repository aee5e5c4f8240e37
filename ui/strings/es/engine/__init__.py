"""What the engine says, in Spanish; ``ui.strings.engine`` explains the tables."""
