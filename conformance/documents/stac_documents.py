"""STAC documents of a server against the core and extension schemas, pystac and pystac-client.
usage: STAC_SCHEMAS=FOLDER stac_checks.py API USER PASSWORD JOB...   (offline_schemas on the path)"""

import json, logging, sys, warnings
import offline_schemas
import jsonschema, pystac, pystac_client, requests
from referencing import Registry, Resource

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


class Cached(pystac.stac_io.DefaultStacIO):
    def read_text_from_href(self, href, *arguments, **options):
        text = offline_schemas.lookup(href)
        return text if text else super().read_text_from_href(href, *arguments, **options)


pystac.StacIO.set_default(Cached)
api, user, password, *jobs = sys.argv[1:]
api = api.rstrip("/")
token = requests.get(api + "/credentials/basic", auth=(user, password)).json()["access_token"]
headers = {"Authorization": f"Bearer basic//{token}"}


def retrieve(uri):
    text = offline_schemas.lookup(uri)
    if not text:
        raise LookupError(uri)
    return Resource.from_contents(
        json.loads(text), default_specification=__import__("referencing.jsonschema", fromlist=["x"]).DRAFT7
    )


registry = Registry(retrieve=retrieve)


def check(name, document):
    kind = {"Collection": "collection", "Catalog": "catalog", "Feature": "item"}[document["type"]]
    uris = [
        f"https://schemas.stacspec.org/v{document['stac_version']}/{kind}-spec/json-schema/{kind}.json"
    ] + document.get("stac_extensions", [])
    for uri in uris:
        try:
            schema = json.loads(offline_schemas.lookup(uri) or "null")
            if schema is None:
                print(f"  ?    {name}: schema not in the cache: {uri}")
                continue
            errors = sorted(
                jsonschema.Draft7Validator(
                    schema, registry=registry, format_checker=jsonschema.FormatChecker()
                ).iter_errors(document),
                key=str,
            )
            print(f"  {'ok  ' if not errors else 'FAIL'} {name} | {uri.split('//')[1]}")
            for e in errors[:4]:
                print("        ", "/".join(map(str, e.absolute_path)), e.message[:250])
                for c in sorted(e.context or [], key=lambda c: -len(c.absolute_path))[:3]:
                    print("            ", "/".join(map(str, c.absolute_path)), c.message[:160])
        except Exception as e:
            print(f"  FAIL {name} | {uri}: {type(e).__name__} {str(e)[:200]}")
    try:
        (
            pystac.Collection.from_dict(document).validate()
            if kind == "collection"
            else pystac.Catalog.from_dict(document).validate()
        )
        print(f"  ok   {name} | pystac {pystac.__version__} validate()")
    except Exception as e:
        print(f"  FAIL {name} | pystac validate(): {type(e).__name__} {str(e)[:300]}")


root = requests.get(api + "/").json()
check("/", root)
listed = requests.get(api + "/collections").json()
for c in listed["collections"]:
    check(f"/collections[{c['id']}]", c)
    check(f"/collections/{c['id']}", requests.get(f"{api}/collections/{c['id']}").json())
for job in jobs:
    check(f"/jobs/{job}/results", requests.get(f"{api}/jobs/{job}/results", headers=headers).json())
    canonical = [
        l["href"]
        for l in requests.get(f"{api}/jobs/{job}/results", headers=headers).json()["links"]
        if l["rel"] == "canonical"
    ][0]
    answer = requests.get(canonical)
    print("  canonical", answer.status_code, answer.headers.get("Content-Type"), answer.json()["id"] == job)
    try:
        c = pystac.Collection.from_file(canonical)
        print("  pystac.Collection.from_file(canonical):", c.id, list(c.assets), c.get_self_href())
    except Exception as e:
        print("  FAIL pystac.Collection.from_file(canonical):", type(e).__name__, str(e)[:200])



def attempts(root):
    """What a user of pystac-client does first, by name."""
    opened = pystac_client.Client.open(root)
    collection = opened.get_collection("SENTINEL2_L2A")
    yield "Client.open", lambda: opened
    yield "get_collections", lambda: [c.id for c in opened.get_collections()]
    yield "get_collection", lambda: collection.extent.to_dict()
    yield "walk children", lambda: [c.id for c in opened.get_children()]
    yield "get_root/get_parent", lambda: str(collection.get_parent())
    if root.endswith("/stac"):
        items = {"collections": ["SENTINEL2_L2A"], "datetime": "2018-01-01/2030-01-01"}
        cql2 = {"filter": "datetime > DATE('2018-01-01')", "filter_lang": "cql2-text"}
        yield "collection items", lambda: some(collection.get_items())
        yield "collection_search", lambda: some(opened.collection_search(q="sentinel").collections())
        yield "queryables", lambda: some(collection.get_queryables()["properties"])
        yield "search", lambda: some(opened.search(collections=["SENTINEL2_L2A"], max_items=3).items())
        yield "search, pages", lambda: some(opened.search(**items, limit=1).items())
        yield "search, CQL2", lambda: some(opened.search(**items, **cql2).items())
        yield "search, sorted", lambda: some(opened.search(**items, sortby="-datetime").items())


def some(found):
    count = len(list(found))
    assert count, "nothing found"
    return count


print("pystac-client", pystac_client.__version__)
host = "/".join(api.split("/")[:3])
for root in (api, host + "/stac"):
    where = "/stac: " if root.endswith("/stac") else ""
    for name, work in attempts(root):
        try:
            print("  ok  ", where + name, "->", str(work())[:200])
        except Exception as e:
            print("  FAIL", where + name, "->", type(e).__name__, str(e)[:200])
print("schemas asked for and not there:", sorted({u for u, found in offline_schemas.asked if not found}))
