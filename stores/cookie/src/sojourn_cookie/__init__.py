"""Sojourn's store that seals the session into its cookie."""
