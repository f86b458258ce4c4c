"""Readers: one file per layout of data on disk."""
