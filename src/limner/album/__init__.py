"""The album: a file on this machine that knows where people's faces are in their photographs, and who is who."""
