"""A model file as JSON for the Studio's form. Imported at the first use: a YAML reader takes long to load."""

from typing import Any

from rollup.inputs.model_file import ModelFile, model_of
from rollup.inputs.yaml_fields import FieldError, parse_yaml
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import hex_data, hex_quantity


def read_model_json(yaml: str) -> dict[str, Any]:
    """The model that the text describes. RpcError names line and field."""
    try:
        return _model_json(model_of(parse_yaml(yaml.encode(), "model")))
    except FieldError as error:
        raise RpcError(str(error)) from error


def _model_json(model: ModelFile) -> dict[str, Any]:
    return {
        "name": model.name,
        "metadata": hex_data(model.metadata),
        "baseModelId": hex_quantity(model.base_model_id),
        "attributor": model.attributor,
        "price": {
            "perCall": hex_quantity(model.price.per_call),
            "perKiloInput": hex_quantity(model.price.per_kilo_input),
            "perKiloOutput": hex_quantity(model.price.per_kilo_output),
        },
        "split": {
            "ownerBps": hex_quantity(model.split.owner_bps),
            "lineageBps": hex_quantity(model.split.lineage_bps),
            "dataBps": hex_quantity(model.split.data_bps),
        },
        "weights": [
            {"datanetId": hex_quantity(ident), "weight": hex_quantity(weight)} for ident, weight in model.weights
        ],
    }
