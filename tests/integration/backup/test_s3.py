# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The S3 server of the tests does what they rely on, asked by boto3 alone."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.integration.s3 import S3Server


def test_an_object_is_a_file_and_a_damaged_file_is_a_damaged_object(s3: S3Server, bucket: str) -> None:
    client = s3.client()
    client.put_object(Bucket=bucket, Key="a/b", Body=b"whole")
    file = s3.folder(bucket) / "a" / "b"
    assert file.read_bytes() == b"whole"
    file.write_bytes(b"who")
    assert client.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"who"


def test_it_refuses_a_wrong_key_and_a_second_put_where_none_is_wanted(s3: S3Server, bucket: str) -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3.client("not-the-secret").list_objects_v2(Bucket=bucket)
    s3.client().put_object(Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.client().put_object(Bucket=bucket, Key="once", Body=b"2", IfNoneMatch="*")
