"""iResNet-50 and a small stand-in as ONNX files of the form in which ArcFace is published."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCKS = (3, 4, 14, 3)


class Graph:
    """Collects nodes and weights; every method gives the name of its output."""

    def __init__(self, arrays):
        self.arrays, self.nodes, self.weights = arrays, [], {}

    def add(self, kind, inputs, **attributes):
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def weight(self, name, array=None):
        value = self.arrays[name] if array is None else array
        self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def conv(self, x, name, kernel, stride):
        pads = [kernel // 2] * 4
        weight = self.weight(f"{name}.weight")
        return self.add("Conv", [x, weight], strides=[stride] * 2, pads=pads)

    def norm(self, x, name):
        leaves = ("weight", "bias", "running_mean", "running_var")
        weights = [self.weight(f"{name}.{leaf}") for leaf in leaves]
        return self.add("BatchNormalization", [x, *weights], epsilon=1e-5)

    def prelu(self, x, name):
        key = f"{name}.weight"
        return self.add("PRelu", [x, self.weight(key, self.arrays[key].reshape(-1, 1, 1))])

    def save(self, path, output, batch):
        shape = [batch, 3, 112, 112]
        graph = helper.make_graph(
            self.nodes,
            "arcface",
            [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, 512])],
            list(self.weights.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        onnx.save(model, str(path))
        return Path(path)


def iresnet50(path, arrays):
    """The whole network; ``arrays`` have the names of arcface_torch's state dict."""
    graph = Graph(arrays)
    x = graph.prelu(graph.norm(graph.conv("input.1", "conv1", 3, 1), "bn1"), "prelu")
    for stage, count in enumerate(BLOCKS, 1):
        for block in range(count):
            name, stride = f"layer{stage}.{block}", 1 if block else 2
            y = graph.conv(graph.norm(x, f"{name}.bn1"), f"{name}.conv1", 3, 1)
            y = graph.prelu(graph.norm(y, f"{name}.bn2"), f"{name}.prelu")
            y = graph.norm(graph.conv(y, f"{name}.conv2", 3, stride), f"{name}.bn3")
            if block == 0:
                x = graph.conv(x, f"{name}.downsample.0", 1, stride)
                x = graph.norm(x, f"{name}.downsample.1")
            x = graph.add("Add", [y, x])
    x = graph.add("Flatten", [graph.norm(x, "bn2")])
    x = graph.add("Gemm", [x, graph.weight("fc.weight"), graph.weight("fc.bias")], transB=1)
    return graph.save(path, graph.norm(x, "features"), "None")


def pooled(path, matrix, batch="None"):
    """A stand-in of the same form: the pictures' mean colours (3) times ``matrix`` (512, 3)."""
    graph = Graph({"matrix": np.asarray(matrix, dtype=np.float32)})
    x = graph.add("Flatten", [graph.add("GlobalAveragePool", ["input.1"])])
    return graph.save(path, graph.add("Gemm", [x, graph.weight("matrix")], transB=1), batch)
