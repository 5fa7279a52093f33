"""Does again what a bundle tells, on a running sandbox, and says where answers differ. Imports none of its rooms."""
