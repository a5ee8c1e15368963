"""stac-fastapi with items in memory: fastapi_member.py ITEMS.json PORT. It sorts, and gives pages by an offset."""

import json
import sys

import uvicorn
from stac_fastapi.api.app import StacApi
from stac_fastapi.api.models import create_get_request_model, create_post_request_model
from stac_fastapi.extensions import OffsetPaginationExtension, SortExtension
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import BaseCoreClient
from stac_fastapi.types.errors import NotFoundError


class MemoryClient(BaseCoreClient):
    def all_collections(self, **kwargs):
        return {"collections": [COLLECTION], "links": []}

    def get_collection(self, collection_id, **kwargs):
        if collection_id != COLLECTION["id"]:
            raise NotFoundError(collection_id)
        return COLLECTION

    def get_item(self, item_id, collection_id, **kwargs):
        for item in ITEMS:
            if (item["id"], item["collection"]) == (item_id, collection_id):
                return item
        raise NotFoundError(item_id)

    def item_collection(self, collection_id, bbox=None, datetime=None, limit=10, token=None, **kwargs):
        return {"type": "FeatureCollection", "features": ITEMS[:limit], "links": []}

    def get_search(self, **kwargs):
        raise NotFoundError("POST is what this server takes")

    def post_search(self, search_request, **kwargs):
        found = [item for item in ITEMS if not search_request.collections or
                 item["collection"] in search_request.collections]
        for key in reversed(search_request.sortby or []):
            name = key.field.removeprefix("properties.")
            found = sorted(found, key=lambda item, name=name: item.get(name) or item["properties"].get(name),
                           reverse=str(getattr(key.direction, "value", key.direction)) == "desc")
        start, limit = search_request.offset or 0, min(search_request.limit or 10, 10)
        links = []
        if start + limit < len(found):
            body = search_request.model_dump(mode="json", exclude_none=True)
            links = [{"rel": "next", "type": "application/geo+json", "method": "POST",
                      "href": str(kwargs["request"].base_url) + "search", "body": {**body, "offset": start + limit}}]
        return {"type": "FeatureCollection", "features": found[start:start + limit], "links": links}


with open(sys.argv[1], encoding="utf-8") as file:
    ITEMS = json.load(file)
COLLECTION = {"type": "Collection", "stac_version": "1.0.0", "id": ITEMS[0]["collection"], "description": "scenes",
              "license": "other", "links": [], "extent": {"spatial": {"bbox": [[0, 10, 179, 10]]},
                                                          "temporal": {"interval": [[None, None]]}}}
EXTENSIONS = [SortExtension(), OffsetPaginationExtension()]
API = StacApi(settings=ApiSettings(enable_response_models=False), extensions=EXTENSIONS,
              client=MemoryClient(extensions=EXTENSIONS),
              search_get_request_model=create_get_request_model(EXTENSIONS),
              search_post_request_model=create_post_request_model(EXTENSIONS))
uvicorn.run(API.app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
