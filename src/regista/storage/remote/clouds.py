"""The three clouds: what each calls things, and what somebody needs there to do something.

Facts only; what is done with them is in `client.py` and `failures.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cloud:
    """One kind of object store.

    Attributes:
        scheme: of its URIs.
        name: what people call it.
        bucket_word: what it calls a bucket.
        extra: the optional extra of the package that brings the client.
        permissions: what each doing needs: `read`, `write`, `list`, `remove`.
        make_bucket: the command that makes a bucket, with `{bucket}` in it.
        credentials: how to give credentials, for a hint.
        endpoint_variables: environment variables that name another endpoint, the first wins.
        endpoint_source: what else may name one.
        endpoint: where it is reached, unless told otherwise; `{region}` and `{account}` in it.
        in_headers: environment variables whose values the client puts into headers as they are.
    """

    scheme: str
    name: str
    bucket_word: str
    extra: str
    make_bucket: str
    credentials: str
    endpoint_variables: tuple[str, ...]
    endpoint_source: str
    endpoint: str
    in_headers: tuple[str, ...]
    permissions: Mapping[str, str] = field(compare=False)


S3 = Cloud(
    scheme="s3",
    name="S3",
    bucket_word="bucket",
    extra="s3",
    make_bucket="aws s3 mb s3://{bucket}",
    credentials="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"
    " AWS_SKIP_SIGNATURE=true for a public bucket",
    endpoint_variables=("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    endpoint_source="endpoint_url of the AWS profile",
    endpoint="https://s3.{region}.amazonaws.com",
    in_headers=("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"),
    permissions={
        "read": "s3:GetObject (and s3:ListBucket: without it a missing file looks forbidden)",
        "write": "s3:PutObject",
        "list": "s3:ListBucket",
        "remove": "s3:DeleteObject",
    },
)
GCS = Cloud(
    scheme="gs",
    name="Google Cloud Storage",
    bucket_word="bucket",
    extra="gcs",
    make_bucket="gcloud storage buckets create gs://{bucket}",
    credentials="run gcloud auth application-default login, or set"
    " GOOGLE_APPLICATION_CREDENTIALS, or GOOGLE_SKIP_SIGNATURE=true for a public bucket",
    endpoint_variables=("GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST"),
    endpoint_source="GOOGLE_SERVICE_ACCOUNT_KEY",
    endpoint="https://storage.googleapis.com",
    in_headers=(),
    permissions={
        "read": "storage.objects.get",
        "write": "storage.objects.create and storage.objects.delete (to replace a file)",
        "list": "storage.objects.list",
        "remove": "storage.objects.delete",
    },
)
AZURE = Cloud(
    scheme="az",
    name="Azure Blob Storage",
    bucket_word="container",
    extra="azure",
    make_bucket="az storage container create --name {bucket}",
    credentials="set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with"
    " AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or AZURE_USE_AZURE_CLI=true, or"
    " AZURE_SKIP_SIGNATURE=true for a public container",
    endpoint_variables=("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    endpoint_source="AZURE_STORAGE_CONNECTION_STRING",
    endpoint="https://{account}.blob.core.windows.net",
    in_headers=("AZURE_STORAGE_ACCOUNT_NAME",),
    permissions={
        "read": "the role Storage Blob Data Reader",
        "write": "the role Storage Blob Data Contributor",
        "list": "the role Storage Blob Data Reader",
        "remove": "the role Storage Blob Data Contributor",
    },
)
CLOUDS: Mapping[str, Cloud] = {cloud.scheme: cloud for cloud in (S3, GCS, AZURE)}
