"""Asking an interpreter what it is, and starting it so that nothing foreign answers."""
