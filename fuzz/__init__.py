"""Fuzzing: what is fuzzed is in ``targets``, from where it starts in ``corpus``."""
