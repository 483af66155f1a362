import pytest

from limner.storage.failures import failure


class NoCredentialsError(Exception):
    """As botocore has one."""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FileNotFoundError("no"), "There is no s3://b/a: check the address, and that its bucket exists."),
        (
            NotADirectoryError("no"),
            "s3://b/a can't be fetched: its name is also the beginning of another's, as of a folder.",
        ),
        (
            NoCredentialsError("Unable to locate credentials"),
            "s3://b/a needs credentials (Unable to locate credentials): give them as the store's own programs take "
            "them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile.",
        ),
        (
            PermissionError("Access\nDenied."),
            "s3://b/a is refused (Access Denied): check the credentials, and what they may do in this bucket.",
        ),
        (
            TimeoutError(),
            "s3://b/a can't be reached (TimeoutError): check the network and the store's address, then run again.",
        ),
    ],
)
def test_each_failure_is_one_sentence(error, sentence):
    assert str(failure(error, "s3://b/a")) == sentence
