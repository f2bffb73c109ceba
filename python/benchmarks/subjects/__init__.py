"""One file a subject; each exports ``SUBJECT``. To add one, add a file."""
