"""Model files: what is read, and that an error names line and field."""

from pathlib import Path

import click
import pytest

from attribution_precompile.client import Price, Split
from rollup.cli.demo_texts import load_data_set
from rollup.inputs.model_file import NOBODY, read_model
from rollup.inputs.yaml_fields import FieldError
from rollup.protocol.primitives import keccak256

ROOT = Path(__file__).resolve().parents[2]


def test_the_example() -> None:
    model = read_model(ROOT / "examples" / "model.yaml")
    assert (model.name, model.metadata) == ("Ward assistant", keccak256(b"Ward assistant"))
    assert (model.price, model.split) == (Price(10**16, 10**15, 4 * 10**15), Split(3_000, 0, 7_000))
    assert (model.base_model_id, model.weights) == (0, ((1, 1),))
    assert model.attributor == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def test_what_may_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(
        f"metadata: 0x{'5a' * 32}\nbase_model: 4\nsplit: {{owner: 1000, lineage: 2000, data: 7000}}\n"
        "datanets: [{id: 9, weight: 3}, {id: 2}]\n"
    )
    model = read_model(file)
    assert (model.name, model.metadata, model.attributor) == ("", b"\x5a" * 32, NOBODY)
    assert (model.price, model.split, model.base_model_id) == (Price(), Split(1_000, 2_000, 7_000), 4)
    assert model.weights == ((2, 1), (9, 3))


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("{owner: 50%, data: 50%}", Split(5_000, 0, 5_000)),
        ("{owner: 12.5%, lineage: 0%, data: 87.50 %}", Split(1_250, 0, 8_750)),
        ("{owner: 0.01%, data: 9999}", Split(1, 0, 9_999)),
        ("{data: 100%}", Split(0, 0, 10_000)),
    ],
)
def test_shares_in_percent_are_basis_points(tmp_path: Path, split: str, expected: Split) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(f"name: A\nsplit: {split}\ndatanets: [{{id: 1}}]\n")
    assert read_model(file).split == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "m.yaml: the file is empty"),
        ("a: [", "m.yaml:1: not YAML: "),
        ("name: A\n\tdatanets: 1", "m.yaml:2: not YAML: "),
        ("- 1", "m.yaml:1: a mapping is expected, not a list"),
        ("datanets: [{id: 1}]", "m.yaml:1: the field 'name' is missing"),
        ("name: A", "m.yaml:1: the field 'datanets' is missing"),
        ("name: A\ndatanets: 1", "m.yaml:2: datanets: a list is expected, not a single value"),
        ("name: A\ndatanets: []", "m.yaml:2: datanets: 1 to 32 DataNets are expected, not 0"),
        ("name: A\ndatanets:\n- id: 1\n  wieght: 2", "m.yaml:4: datanets[0].wieght: unknown field"),
        ("name: A\ndatanets:\n- weight: 2", "m.yaml:3: datanets[0]: the field 'id' is missing"),
        ("name: A\ndatanets:\n- id: 1\n- id: 1", "m.yaml:4: datanets[1].id: DataNet 1 is listed twice"),
        ("name: A\ndatanets:\n- {id: 1, weight: 0}", "m.yaml:3: datanets: all weights are 0"),
        ("name: A\ndatanets:\n- id: one", "m.yaml:3: datanets[0].id: 'one' is not a whole number"),
        ("name: A\ndatanets:\n- id: 0", "m.yaml:3: datanets[0].id: 0 is not from 1 to"),
        ("name: A\nname: B", "m.yaml:2: 'name' is given twice"),
        ("name: A\nprice:\n  per_call: cheap\n", "m.yaml:3: price.per_call: 'cheap' is not an amount"),
        ("name: A\nprice:\n  per_call: 0.01\n", "m.yaml:3: price.per_call: '0.01' is not a whole number of wei"),
        (f"name: A\nprice:\n  per_call: {2**96}\n", "price.per_call: '79228162514264337593543950336' is 2^96"),
        ("name: A\nattributor: bob", "m.yaml:2: attributor: 'bob' is not an address"),
        ("name: A\nmetadata: 0x12", "m.yaml:2: metadata: '0x12' is not a hash"),
        (
            "name: A\nsplit: {owner: 1, data: 2}",
            "m.yaml:2: split: owner, lineage and data sum to 3 basis points (0.03 %), not to 10,000 (100 %)",
        ),
        (
            "name: A\nsplit: {owner: 30%, data: 65%}",
            "m.yaml:2: split: owner, lineage and data sum to 9,500 basis points",
        ),
        ("name: A\nsplit:\n  owner: 0.001%", "m.yaml:3: split.owner: '0.001%' is not a percentage with at most two"),
        ("name: A\nsplit:\n  owner: -5%", "m.yaml:3: split.owner: '-5%' is not a percentage"),
        ("name: A\nsplit:\n  owner: 101%", "m.yaml:3: split.owner: 101% is more than 100%"),
        (
            "name: A\nsplit:\n  owner: 3000\n  lineage: 1000\n  data: 6000",
            "m.yaml:4: split.lineage: a share for the lineage, but no base_model",
        ),
    ],
)
def test_an_error_names_the_cause(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(content)
    with pytest.raises(FieldError) as caught:
        read_model(file)
    assert str(caught.value).startswith(str(tmp_path))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("units: 3", "units: three", "units: 'three' is not a whole number"),
        ("file: 01-blood", "file: 99-blood", "documents[0].file: "),
        ("contributor: Amara Lindqvist", "contributor: Nobody", "'Nobody' is not one of the contributors above"),
        ('address: "0x09DB', 'address: "0x19DB', "contributors[0].address: "),
    ],
)
def test_data_sets_too(tmp_path: Path, before: str, after: str, words: str) -> None:
    folder = ROOT / "examples" / "medical"
    for path in folder.iterdir():
        content = path.read_text()
        if path.name == "dataset.yaml":
            assert before in content
            content = content.replace(before, after, 1)
        (tmp_path / path.name).write_text(content)
    with pytest.raises(click.ClickException, match=r"dataset\.yaml:[0-9]+: ") as caught:
        load_data_set(tmp_path)
    assert words in str(caught.value)
