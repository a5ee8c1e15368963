"""S3 on loopback, as far as reading goes: objects by bucket and key, listings, and signatures of version 4, which are
verified here from the specification alone ("Signature Calculations for the Authorization Header")."""

import datetime
import hashlib
import hmac
import re
import urllib.parse
from xml.sax.saxutils import escape

from remote_host import RemoteHost

EMPTY = hashlib.sha256(b"").hexdigest()


def signature(secret, method, path, query, headers, signed, date, region):
    """The signature of a request: `headers` by lower-case name, `signed` the names that count."""
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    canonical = "\n".join([
        method, urllib.parse.quote(urllib.parse.unquote(path), safe="/-_.~"),
        "&".join(f"{urllib.parse.quote(k, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}" for k, v in pairs),
        *(f"{name}:{' '.join(headers[name].split())}" for name in signed), "", ";".join(signed),
        headers["x-amz-content-sha256"]])
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date[:8], region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class S3Host(RemoteHost):
    """keys: id -> (secret, session token or None); no keys: everybody may read."""

    def __init__(self, objects=None, keys=None, region="us-east-1", page=1000, **more):
        super().__init__(objects, **more)
        self.keys, self.region, self.page = keys or {}, region, page
        self.admits = self.verify

    def name_of(self, path):
        return urllib.parse.unquote(path)

    def verify(self, handler):
        asked = urllib.parse.urlsplit(handler.path)
        if self.keys and not self.is_signed(handler, asked):
            return 403
        if "list-type" in asked.query:
            self.pages[self.name_of(asked.path.lstrip("/"))] = lambda query: (200, self.listing(asked.path, query))
        return None

    def is_signed(self, handler, asked, method="GET", body=EMPTY):
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
                             r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
                             handler.headers["Authorization"] or "")
        headers = {name.lower(): value for name, value in handler.headers.items()}
        if not found or found[1] not in self.keys or found[3] != self.region:
            return False
        secret, session = self.keys[found[1]]
        signed, date = found[4].split(";"), headers.get("x-amz-date", "")
        own = {name for name in headers if name.startswith("x-amz-")} | {"host"}
        if signed != sorted(signed) or not own <= set(signed) or headers.get("x-amz-security-token") != session:
            return False
        age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.strptime(
            date + "+0000", "%Y%m%dT%H%M%SZ%z")
        if abs(age.total_seconds()) > 900 or date[:8] != found[2] or headers.get("x-amz-content-sha256") != body:
            return False
        return found[5] == signature(secret, method, asked.path, asked.query, headers, signed, date, self.region)

    def listing(self, path, query):
        """ListObjectsV2: the keys of a prefix, `page` at a time."""
        asked = dict(urllib.parse.parse_qsl(query))
        bucket, prefix = self.name_of(path.strip("/")) + "/", asked.get("prefix", "")
        keys = sorted(name.removeprefix(bucket) for name in self.files if name.startswith(bucket + prefix))
        first = int(asked.get("continuation-token", "0"))
        rows = "".join(f"<Contents><Key>{escape(key)}</Key><Size>{len(self.files[bucket + key])}</Size></Contents>"
                       for key in keys[first:first + self.page])
        more = first + self.page < len(keys)
        token = f"<NextContinuationToken>{first + self.page}</NextContinuationToken>" if more else ""
        return (f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>").encode()
