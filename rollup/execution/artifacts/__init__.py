"""Compiled contracts and code carried from elsewhere: data, in a package so that an installation brings it along."""
