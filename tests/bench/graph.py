"""Process graphs as Python: one function a node, references by name."""


def ref(name):
    return {"from_node": name}


def parameter(name="data"):
    return {"from_parameter": name}


def node(process, result=False, /, **arguments):
    return {"process_id": process, "arguments": arguments, **({"result": True} if result else {})}


def callback(process, /, **arguments):
    """A child process of one node."""
    return {"process_graph": {"one": node(process, True, **arguments)}}


def load(collection, /, **arguments):
    return node("load_collection", id=collection, **{"spatial_extent": None, "temporal_extent": None, **arguments})


def save(name, file_format):
    return node("save_result", True, data=ref(name), format=file_format)


def reduce_over(data, dimensions, process, name="reduced"):
    """Nodes that reduce one dimension after the other; the last is called `name`."""
    nodes = {}
    for i, dimension in enumerate(dimensions):
        own = name if i == len(dimensions) - 1 else f"{name}_{dimension}"
        nodes[own] = node("reduce_dimension", data=ref(data), dimension=dimension,
                          reducer=callback(process, data=parameter()))
        data = own
    return nodes


def combined(first, second, process):
    """merge_cubes of a cube and one that lacks some of its dimensions."""
    return node("merge_cubes", cube1=ref(first), cube2=ref(second),
                overlap_resolver=callback(process, x=parameter("x"), y=parameter("y")))
