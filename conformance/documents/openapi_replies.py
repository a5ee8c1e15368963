"""Replies of a server against an openEO OpenAPI document, with real ids, errors and headers.

usage: openapi_replies.py API USER PASSWORD COLLECTION OPENAPI.yaml [mend]
mend: take the unsatisfiable oneOf out of process_json_schema (Generic matches what the two others match)"""

import json, sys, time, warnings
import requests, yaml
from openapi_core import Spec, V30ResponseValidator, validate_response
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

warnings.simplefilter("ignore")
api, user, password, collection, document = sys.argv[1:6]
api = api.rstrip("/")
data = yaml.safe_load(open(document))
if "mend" in sys.argv[6:]:
    data["components"]["schemas"]["process_json_schema"].pop("oneOf", None)
for server in data["servers"]:
    server["url"] = api
host = api.split("/openeo")[0]
data["paths"]["/.well-known/openeo"]["get"]["servers"][0]["url"] = host
spec = Spec.from_dict(data, validator=None)
token = requests.get(api + "/credentials/basic", auth=(user, password)).json()["access_token"]
auth = {"Authorization": f"Bearer basic//{token}"}
good = {
    "process_graph": {
        "l": {
            "process_id": "load_collection",
            "arguments": {"id": collection, "spatial_extent": None, "temporal_extent": None},
        },
        "m": {
            "process_id": "reduce_dimension",
            "arguments": {
                "data": {"from_node": "l"},
                "dimension": "t",
                "reducer": {
                    "process_graph": {
                        "m": {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}}, "result": True}
                    }
                },
            },
        },
        "s": {
            "process_id": "save_result",
            "arguments": {"data": {"from_node": "m"}, "format": "GTiff"},
            "result": True,
        },
    }
}
bad = {
    "process_graph": {
        "l": {
            "process_id": "load_collection",
            "arguments": {"id": "NOPE", "spatial_extent": None, "temporal_extent": None},
            "result": True,
        }
    }
}
number = {"process_graph": {"a": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}}
totals = {"ok": 0, "FAIL": 0}


def call(method, path, want, body=None, base=api, headers=auth, binary=False):
    url = base + path
    request = requests.Request(method, url, json=body, headers=headers)
    reply = requests.Session().send(request.prepare())
    problems = [] if reply.status_code == want else [f"status {reply.status_code}, wanted {want}"]
    try:
        if not binary:
            validate_response(
                RequestsOpenAPIRequest(request),
                RequestsOpenAPIResponse(reply),
                spec=spec,
                cls=V30ResponseValidator,
                extra_media_type_deserializers={"application/schema+json": json.loads},
            )
    except Exception as error:
        cause = error.__cause__
        found = [f"{e.json_path}: {e.message[:140]}" for e in getattr(cause, "schema_errors", [])] or [
            f"{type(error).__name__}: {str(error)[:200]}"
        ]
        problems += found[:6] + ([f"… {len(found)} in all"] if len(found) > 6 else [])
    for header in ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers"):
        if header not in reply.headers:
            problems.append(f"no header {header}")
    totals["FAIL" if problems else "ok"] += 1
    print("FAIL" if problems else "ok  ", method, path, reply.status_code, reply.headers.get("Content-Type", ""))
    for p in problems:
        print("       ", p)
    return reply


none = {}
call("GET", "/.well-known/openeo", 200, base=host, headers=none)
for path in [
    "/",
    "/conformance",
    "/file_formats",
    "/service_types",
    "/udf_runtimes",
    "/collections",
    f"/collections/{collection}",
    f"/collections/{collection}/queryables",
    "/processes",
]:
    call("GET", path, 200, headers=none)
call("GET", "/collections?limit=1", 200, headers=none)
call("GET", "/collections/NOPE", 404, headers=none)
call("GET", "/nope", 404, headers=none) if False else None
call("GET", "/credentials/basic", 200, headers={"Authorization": requests.auth._basic_auth_str(user, password)})
call("GET", "/credentials/basic", 403, headers={"Authorization": requests.auth._basic_auth_str(user, "x")})
call("GET", "/credentials/basic", 401, headers=none)
call("GET", "/credentials/oidc", 200, headers=none)
call("GET", "/me", 200)
call("GET", "/me", 401, headers=none)
call("GET", "/me", 403, headers={"Authorization": "Bearer basic//wrong"})
call("POST", "/validation", 200, good)
call("POST", "/validation", 200, bad)
call("POST", "/result", 200, {"process": number})
call("POST", "/result", 200, {"process": good}, binary=True)
call("POST", "/result", 404, {"process": bad})
job = call("POST", "/jobs", 201, {"process": good, "title": "t", "description": "d"}).headers["OpenEO-Identifier"]
bare = call("POST", "/jobs", 201, {"process": good}).headers["OpenEO-Identifier"]
for path in ["/jobs", "/jobs?limit=1", f"/jobs/{job}", f"/jobs/{bare}", f"/jobs/{job}/estimate", f"/jobs/{job}/logs"]:
    call("GET", path, 200)
call("GET", f"/jobs/{job}/results", 400)
call("PATCH", f"/jobs/{job}", 204, {"title": "u"})
call("POST", f"/jobs/{job}/results", 202)
for _ in range(50):
    if requests.get(f"{api}/jobs/{job}", headers=auth).json()["status"] in ("finished", "error"):
        break
    time.sleep(0.1)
for path in [
    f"/jobs/{job}",
    f"/jobs/{job}/logs",
    f"/jobs/{job}/logs?offset=1&level=error&limit=1",
    f"/jobs/{job}/results",
    f"/jobs/{job}/results?partial=true",
]:
    call("GET", path, 200)
call("PATCH", f"/jobs/{job}", 204, {"title": "v"})
failing = requests.post(api + "/jobs", json={"process": bad}, headers=auth).headers["OpenEO-Identifier"]
requests.post(f"{api}/jobs/{failing}/results", headers=auth)
time.sleep(0.5)
call("GET", f"/jobs/{failing}", 200)
call("GET", f"/jobs/{failing}/results", 424)
call("GET", f"/jobs/{failing}/logs", 200)
call("DELETE", f"/jobs/{job}/results", 204)
for id in (job, bare, failing):
    call("DELETE", f"/jobs/{id}", 204)
call("GET", f"/jobs/{job}", 404)
call("GET", "/process_graphs", 200)
call("GET", "/services", 200)
call("GET", "/files", 200)
print(document, totals)
