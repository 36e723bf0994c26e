"""Sojourn's store in this process's memory."""
