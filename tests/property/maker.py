"""Random process graphs, grown node by node together with the cubes they mean.

Nodes are taken from what was made before, so a node is often used twice or three times; what is drawn and makes no
sense, or would hang on less than the allowed error, is drawn again.
"""

import numpy

import naive
import world
from naive import Dimension, Grid, Retry

PLACES = (world.ZONE, world.NEXT, 4326)
FEWEST, MOST = 3, 8  # steps after the loads
ELEMENTS = 40000


def reference(node):
    return {"from_node": node}


def parameter(name):
    return {"from_parameter": name}


def callback(*steps):
    """A process graph of steps in a row: (process, {arguments}), the last is the result."""
    nodes = {f"s{i}": {"process_id": process, "arguments": arguments} for i, (process, arguments) in enumerate(steps)}
    nodes[f"s{len(steps) - 1}"]["result"] = True
    return {"process_graph": nodes}


def reducer(name):
    return callback((name, {"data": parameter("data")}))


class Maker:
    def __init__(self, seed, collections):
        self.rng = numpy.random.default_rng(seed)
        self.collections = collections
        self.graph = {}
        self.cubes = {}

    # ---- drawing ----

    def choose(self, options):
        options = list(options)
        if not options:
            raise Retry("nothing to choose from")
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability):
        return self.rng.random() < probability

    def some(self, options, least=1):
        """A few of the options, in their order."""
        count = int(self.rng.integers(least, len(options) + 1))
        return [options[i] for i in sorted(self.rng.choice(len(options), count, replace=False))]

    def node(self, *dimensions, grid=False):
        """A node made before whose cube has the dimensions; newer ones more often."""
        fit = [name for name, cube in self.cubes.items() if cube.has(*dimensions) and (cube.grid or not grid)]
        return self.choose(fit[-3:] if self.chance(0.6) else fit)

    def put(self, process, arguments, cube):
        if cube.values.size > ELEMENTS or cube.values.size == 0:
            raise Retry("too large, or empty")
        name = f"n{len(self.graph)}"
        self.graph[name] = {"process_id": process, "arguments": arguments}
        self.cubes[name] = cube
        return name

    # ---- boxes ----

    def box(self, grid):
        """A box somewhere over a grid, with its CRS: mostly well inside, in the grid's CRS or in another."""
        west, south, east, north = grid.extent()
        while True:
            x, y = (sorted(self.rng.uniform(-0.15, 1.15, 2)) for _ in range(2))
            if x[1] - x[0] > 0.2 and y[1] - y[0] > 0.2:
                break
        box = (west + x[0] * (east - west), south + y[0] * (north - south), west + x[1] * (east - west),
               south + y[1] * (north - south))
        crs = grid.crs if self.chance(0.7) else self.choose(PLACES)
        box = naive.image_of(box, grid.crs, crs)
        return tuple(round(float(edge), 7 if crs == 4326 else 2) for edge in box), crs

    @staticmethod
    def extent(box, crs):
        extent = dict(zip(("west", "south", "east", "north"), box))
        return extent if crs == 4326 else {**extent, "crs": crs}

    def interval(self, labels):
        first, last = sorted(self.rng.integers(0, len(labels), 2))
        start = labels[first][:10]
        after = numpy.datetime64(labels[last][:10]) + int(self.rng.integers(1, 5))
        return start, str(after)

    # ---- sources ----

    def load(self):
        collection = self.collections[self.choose(self.collections)]
        arguments = {"id": collection.name, "spatial_extent": None, "temporal_extent": None}
        box = crs = interval = bands = None
        if self.chance(0.5):
            box, crs = self.box(collection.footprint(collection.scenes))
            arguments["spatial_extent"] = self.extent(box, crs)
        if self.chance(0.3):
            interval = self.interval(sorted({scene.date for scene in collection.scenes}))
            arguments["temporal_extent"] = list(interval)
        if self.chance(0.5):
            bands = self.some(collection.bands)
            if self.chance(0.3):
                bands = bands[::-1]
            arguments["bands"] = bands
        return self.put("load_collection", arguments, world.load(collection, box, crs, interval, bands))

    def inline(self):
        """A cube within the graph, on a grid that overlaps the collections'."""
        crs = self.choose(PLACES[:2])
        west, north = world.CORNER[crs]
        grid = Grid(west + 10.0 * self.rng.integers(0, 8), north - 10.0 * self.rng.integers(0, 8),
                    float(self.choose((10, 15, 20))), int(self.rng.integers(2, 11)), int(self.rng.integers(2, 11)), crs)
        dimensions = [Dimension("y", "spatial", ()), Dimension("x", "spatial", ())]
        if self.chance(0.4):
            dates = self.some(["2020-01-03", "2020-01-19", "2020-02-04", "2020-03-11"])
            dimensions.insert(0, Dimension("t", "temporal", tuple(date + "T00:00:00Z" for date in dates)))
        elif self.chance(0.4):
            dimensions.append(Dimension("bands", "bands", tuple(self.some(["B04", "B08", "QA"]))))
        sizes = {"y": grid.height, "x": grid.width}
        shape = [sizes.get(dimension.name, dimension.size) for dimension in dimensions]
        values = world.pixels(self.rng, shape, 1, 50, 0.2)
        cube = naive.on_grid(naive.Cube(tuple(dimensions), values, numpy.zeros(shape, bool)), grid)
        described = {}
        for dimension in cube.dimensions:
            described[dimension.name] = {"type": dimension.type, "values": [
                label[:10] if dimension.type == "temporal" else label for label in dimension.labels]}
            if dimension.type == "spatial":
                described[dimension.name].update(axis=dimension.name, reference_system=crs)
        data = numpy.where(numpy.isnan(values), None, values).tolist()
        literal = {
            "type": "datacube",
            "order": [d.name for d in cube.dimensions],
            "dimensions": described,
            "data": data,
        }
        # a literal stands in an argument: the process there keeps the values
        return self.put(
            "apply", {"data": literal, "process": callback(("multiply", {"x": parameter("x"), "y": 1}))}, cube
        )

    # ---- steps ----

    def filter_bbox(self):
        name = self.node(grid=True)
        cube = self.cubes[name]
        box, crs = self.box(cube.grid)
        self.put("filter_bbox", {"data": reference(name), "extent": self.extent(box, crs)}, naive.crop(cube, box, crs))

    def filter_temporal(self):
        name = self.node("t")
        cube = self.cubes[name]
        labels = cube.named("t").labels
        if len(labels[0]) < 10:
            raise Retry("periods")
        interval = self.interval(labels)
        kept = [i for i, label in enumerate(labels) if interval[0] <= label[:10] < interval[1]]
        self.put("filter_temporal", {"data": reference(name), "extent": list(interval)}, naive.pick(cube, "t", kept))

    def filter_bands(self):
        name = self.node("bands")
        cube = self.cubes[name]
        labels = cube.named("bands").labels
        bands = self.some(labels)
        self.put("filter_bands", {"data": reference(name), "bands": bands},
                 naive.pick(cube, "bands", [labels.index(band) for band in bands]))

    def apply(self):
        name = self.node()
        cube = self.cubes[name]
        x = parameter("x")
        kind = self.choose(("linear", "clip", "absolute", "greater"))
        if kind == "linear":
            factor, offset = float(self.choose((0.5, 2, -1, 3))), float(self.choose((0, 1, -7.5, 10)))
            steps = [("multiply", {"x": x, "y": factor}), ("add", {"x": {"from_node": "s0"}, "y": offset})]
            result = naive.linear(cube, factor, offset)
        elif kind == "clip":
            low = float(self.choose((0, 10, 20.5)))
            steps, result = [("clip", {"x": x, "min": low, "max": low + 60})], naive.clip(cube, low, low + 60)
        elif kind == "absolute":
            steps, result = [("absolute", {"x": x})], naive.absolute(cube)
        else:
            valid = cube.values[~numpy.isnan(cube.values)]
            threshold = float(numpy.floor(numpy.median(valid)) + 0.5) if valid.size else 0.5
            steps, result = [("gt", {"x": x, "y": threshold})], naive.greater(cube, threshold)
        self.put("apply", {"data": reference(name), "process": callback(*steps)}, result)

    def reduce(self):
        names = [name for name, cube in self.cubes.items() if len(cube.dimensions) > 1]
        name = self.choose(names)
        cube = self.cubes[name]
        which = self.choose([d.name for d in cube.dimensions if d.name not in ("x", "y")] or ["x"])
        for dimension in (("y", "x") if which == "x" and cube.has("x", "y") else (which,)):
            how = self.choose(naive.REDUCERS)
            name = self.put(
                "reduce_dimension",
                {"data": reference(name), "dimension": dimension, "reducer": reducer(how)},
                naive.reduce(self.cubes[name], dimension, how),
            )

    def reduce_place(self):
        name = self.node("x", "y")
        for dimension in ("y", "x"):
            how = self.choose(("mean", "max", "sum"))
            name = self.put(
                "reduce_dimension",
                {"data": reference(name), "dimension": dimension, "reducer": reducer(how)},
                naive.reduce(self.cubes[name], dimension, how),
            )

    def apply_dimension(self):
        name = self.node()
        cube = self.cubes[name]
        dimension, how = self.choose([d.name for d in cube.dimensions]), self.choose(naive.SERIES)
        self.put("apply_dimension", {"data": reference(name), "dimension": dimension, "process": reducer(how)},
                 naive.along(cube, dimension, how))

    def periods(self):
        name = self.node("t")
        cube = self.cubes[name]
        if len(cube.named("t").labels[0]) < 10:
            raise Retry("periods already")
        period, how = self.choose(("month", "year")), self.choose(("mean", "max", "median", "count", "first", "sum"))
        self.put("aggregate_temporal_period", {"data": reference(name), "period": period, "reducer": reducer(how)},
                 naive.periods(cube, period, how))

    def merge(self):
        first, second = self.node(), self.node()
        resolver = self.choose(naive.RESOLVERS)
        x, y = parameter("x"), parameter("y")
        step = (resolver, {"x": x, "y": y} if resolver in ("add", "subtract") else {"data": [x, y]})
        self.put(
            "merge_cubes",
            {"cube1": reference(first), "cube2": reference(second), "overlap_resolver": callback(step)},
            naive.merge(self.cubes[first], self.cubes[second], resolver),
        )

    def mask(self):
        data, where = self.node(), self.node()
        replacement = self.choose((None, None, -5.5))
        arguments = {"data": reference(data), "mask": reference(where)}
        if replacement is not None:
            arguments["replacement"] = replacement
        self.put("mask", arguments, naive.mask(self.cubes[data], self.cubes[where], replacement))

    def crop_and_meet(self):
        """A small part of one cube meets a larger one: what was cut away stays away."""
        name = self.node(grid=True)
        self.filter_bbox()
        part = list(self.cubes)[-1]
        if self.chance(0.4):
            self.put("mask", {"data": reference(name), "mask": reference(part)},
                     naive.mask(self.cubes[name], self.cubes[part], None))
        else:
            step = ("add", {"x": parameter("x"), "y": parameter("y")})
            self.put(
                "merge_cubes",
                {"cube1": reference(name), "cube2": reference(part), "overlap_resolver": callback(step)},
                naive.merge(self.cubes[name], self.cubes[part], "add"),
            )

    def resample(self):
        name = self.node(grid=True)
        cube = self.cubes[name]
        if not cube.has("x", "y"):
            raise Retry("no grid")
        method = self.choose(("near", "bilinear"))
        if self.chance(0.5):
            res = float(self.choose((5, 10, 15, 20, 30)))
            west, south, east, north = cube.grid.extent()
            if cube.grid.crs == 4326:
                res *= 1e-5
            grid = Grid(west, north, res, int(numpy.ceil((east - west) / res - 1e-9)),
                        int(numpy.ceil((north - south) / res - 1e-9)), cube.grid.crs)
            arguments = {"resolution": res}
        else:
            crs = self.choose([crs for crs in PLACES if crs != cube.grid.crs])
            res = float(self.choose((0.00007, 0.00011, 0.0002) if crs == 4326 else (7.5, 10, 20)))
            grid = naive.anchored(naive.image_of(cube.grid.extent(), cube.grid.crs, crs), res, crs)
            arguments = {"resolution": res, "projection": crs}
        self.put("resample_spatial", {"data": reference(name), **arguments, "method": method},
                 naive.resample(cube, grid, method))

    def ndvi(self):
        name = self.node("bands")
        labels = self.cubes[name].named("bands").labels
        if len(labels) < 2:
            raise Retry("one band")
        nir, red = (labels[i] for i in self.rng.choice(len(labels), 2, replace=False))
        self.put("ndvi", {"data": reference(name), "nir": nir, "red": red}, naive.ndvi(self.cubes[name], nir, red))

    def add_dimension(self):
        name = self.node()
        cube = self.cubes[name]
        if cube.has("level") or len(cube.dimensions) > 4:
            raise Retry("enough dimensions")
        self.put("add_dimension", {"data": reference(name), "name": "level", "label": "ground", "type": "other"},
                 naive.add_dimension(cube, "level", "other", "ground"))

    def drop_dimension(self):
        fit = [(name, d.name) for name, cube in self.cubes.items() for d in cube.dimensions
               if d.size == 1 and d.name not in ("x", "y")]
        name, dimension = self.choose(fit)
        self.put("drop_dimension", {"data": reference(name), "name": dimension},
                 naive.drop_dimension(self.cubes[name], dimension))

    def rename(self):
        name = self.node("bands")
        cube = self.cubes[name]
        if self.chance(0.5):
            self.put("rename_dimension", {"data": reference(name), "source": "bands", "target": "spectrum"},
                     naive.rename(cube, "bands", name="spectrum"))
        else:
            labels = cube.named("bands").labels
            if "first" in labels:
                raise Retry("renamed before")
            new = ("first",) + labels[1:]
            self.put("rename_labels", {"data": reference(name), "dimension": "bands", "target": [new[0]],
                                       "source": [labels[0]]}, naive.rename(cube, "bands", labels=new))

    STEPS = (
        filter_bbox,
        filter_temporal,
        filter_bands,
        apply,
        apply,
        reduce,
        reduce_place,
        apply_dimension,
        periods,
        merge,
        merge,
        mask,
        crop_and_meet,
        crop_and_meet,
        resample,
        resample,
        ndvi,
        add_dimension,
        drop_dimension,
        rename,
    )

    # ---- the whole ----

    def attempt(self, step):
        """Takes a step, or leaves everything as it was."""
        graph, cubes = dict(self.graph), dict(self.cubes)
        try:
            step()
            return True
        except Retry:
            self.graph, self.cubes = graph, cubes
            return False

    def make(self):
        """The graph, and the cube it means."""
        for _ in range(int(self.rng.integers(1, 4))):
            while not self.attempt(self.load if self.chance(0.8) else self.inline):
                pass
        wanted = len(self.graph) + int(self.rng.integers(FEWEST, MOST))
        for _ in range(200):
            if len(self.graph) >= wanted:
                break
            self.attempt(lambda: self.choose(self.STEPS)(self))
        last = list(self.graph)[-1]
        graph = self.needed(last)
        graph[last] = {**graph[last], "result": True}
        return graph, self.cubes[last]

    def needed(self, last):
        """The nodes that the last one stands on."""
        todo, found = [last], set()
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [value["from_node"] for value in self.graph[name]["arguments"].values()
                         if isinstance(value, dict) and "from_node" in value]
        return {name: node for name, node in self.graph.items() if name in found}
