"""`openrollup economics`: does my model pay? And what else the economics of a chain answer."""

import importlib
from typing import Any

import click

# command: (module, attribute, what `openrollup economics --help` says of it); the first is meant when none is named
COMMANDS = {
    "model": ("economics_model", "command", "Does my model pay? (The command may be left out.)"),
    "measure": ("economics_measure", "command", "Measure the gas of every route on a running chain."),
    "claims": ("economics_claims", "claims", "When a contributor should claim."),
    "demand": ("economics_sweep", "demand", "Simulate a market of users and models."),
    "take-off": ("economics_take_off", "command", "From how many users and models on a market holds."),
    "supply": ("economics_claims", "supply", "What circulates, what unlocks, what fees would hold it."),
    "noise": ("economics_noise", "command", "Which paid inferences look real, by rules you can read."),
    "observed": ("economics_observed", "command", "The use that a running chain has really seen."),
    "sensitivity": ("economics_sensitivity", "command", "Which assumption of a market matters."),
    "sweep": ("economics_sweep", "sweep", "Run a grid of scenarios, on as many workers as you like."),
    "compare": ("economics_sweep", "compare", "Two scenarios on the same random numbers."),
}
_DEFAULT = "model"


class _Economics(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, summary = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"rollup.cli.{module}"), attribute)
        command.short_help = summary
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Arguments that begin with an option other than --help are a question about a model."""
        return super().parse_args(ctx, [_DEFAULT, *args] if _is_of_model(args) else args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Arguments that begin with a file or an id are a question about a model, too."""
        return super().resolve_command(ctx, args if args[0] in COMMANDS else [_DEFAULT, *args])


def _is_of_model(args: list[str]) -> bool:
    return bool(args) and args[0].startswith("-") and args[0] not in ("-h", "--help")


@click.group("economics", cls=_Economics)
def command(**_: Any) -> None:
    """Forecast whether a model pays: `openrollup economics examples/model.yaml --queries 50,1000,50000`

    Gas is measured, prices are this chain's own or a named scenario, assumptions are marked with *. No price is
    forecast. docs/economics.md has the equations and the sources.
    """
