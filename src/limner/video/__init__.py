"""Moving pictures: a clip's way through limner, on which the face stays the same person from frame to frame."""
