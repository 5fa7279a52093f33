"""Repeat what a bundle has recorded on a running sandbox, and report differences. Imports none of its rooms."""
