"""PyAV's submodules are there with it."""

from limner.video.pyav import ClipError, pyav


def test_it_holds_all_that_clips_need():
    av = pyav()
    assert av.error.FFmpegError and av.codec.codec.UnknownCodecError and av.video.reformatter.Interpolation
    assert issubclass(ClipError, Exception)
