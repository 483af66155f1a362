"""The rest of the photo: what is done to all of it, and not to its faces alone."""
