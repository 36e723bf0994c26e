"""Sojourn beside its peers and beside the raw primitives, in one run."""
