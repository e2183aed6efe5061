"""In and out: projects of other tools taken over, and what a project has written for others."""
