"""Sojourn's sessions for Litestar."""
