"""The `flightos` command. Each subcommand imports what it needs only when it runs, so that --help is instant.

Data goes to stdout, talk and progress to stderr. Exit status: 0 ok, 1 the run failed its own criteria, 2 usage or
configuration, 3 infrastructure, 130 interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from flightos.commands.endings import CommandEnded, Ending, endings

app = typer.Typer(
    name="flightos",
    help="The operating system of a computing constellation, and the laboratory to fly it in.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tlm = typer.Typer(help="Telemetry of a run, live or recorded.", no_args_is_help=True)
app.add_typer(tlm, name="tlm")

RunArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[RUN]", help="Run folder or its name under runs/; default: the newest."),
]
RunOption = Annotated[
    Path | None,
    typer.Option("--run", metavar="RUN", help="Run folder or its name under runs/; default: the newest."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout instead of text.")]
PatternArgument = Annotated[
    str,
    typer.Argument(
        metavar="[NODE/SERVICE/FIELD]", help="Names or numbers, with * and ?; parts left out stand for all."
    ),
]
FromOption = Annotated[float | None, typer.Option("--from", metavar="S", help="From this mission time on.")]
ToOption = Annotated[float | None, typer.Option("--to", metavar="S", help="Up to this mission time.")]
PathOption = Annotated[
    str, typer.Option("--path", help="umbilical (everything, at once), downlink (what came down), or both.")
]


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="Shipped scenario, or a TOML file.")],
    virtual: Annotated[
        bool, typer.Option("--virtual", help="One process, next event: as fast as it goes.")
    ] = False,
    processes: Annotated[
        bool, typer.Option("--processes", help="One process a node, granted time (default).")
    ] = False,
    wall: Annotated[bool, typer.Option("--wall", help="Real processes on the wall clock, speed 1.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Every draw of the run comes from it.")] = 1,
    duration: Annotated[int | None, typer.Option(min=1, metavar="S", help="Mission seconds.")] = None,
    speed: Annotated[
        str | None, typer.Option(metavar="K|max", help="Mission seconds per wall second.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key.")
    ] = None,
    operator_log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Repeat the commands of a run.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Run folder, new or empty.")] = None,
    json: JsonOption = False,
) -> None:
    """Fly a scenario."""
    from flightos.commands.run import RunOptions, fly_scenario

    options = RunOptions(
        scenario=scenario,
        is_virtual=virtual,
        is_processes=processes,
        is_wall=wall,
        seed=seed,
        duration_s=duration,
        speed=speed,
        overrides=set_ or [],
        operator_log=operator_log,
        out=out,
        is_json=json,
    )
    raise CommandEnded(fly_scenario(options))


@app.command()
def scenarios(json: JsonOption = False) -> None:
    """List the shipped scenarios and the question each answers."""
    from flightos.commands.listing import list_scenarios

    list_scenarios(json)


@app.command()
def rerun(
    run: Annotated[Path, typer.Argument(metavar="RUN")],
    node: Annotated[str, typer.Argument(metavar="NODE", help="Number or name.")],
    json: JsonOption = False,
) -> None:
    """Re-execute a node of a run from its input log and compare the hash."""
    from flightos.commands.replay import rerun_node

    raise CommandEnded(rerun_node(run, node, json))


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(metavar="RUN")],
    second: Annotated[Path, typer.Argument(metavar="RUN")],
    json: JsonOption = False,
) -> None:
    """Show the first event in which two runs part."""
    from flightos.commands.replay import diff_runs

    raise CommandEnded(diff_runs(first, second, json))


@app.command()
def node(
    file: Annotated[Path, typer.Argument(metavar="NODE.toml")],
    duration: Annotated[
        float | None, typer.Option(min=0.1, metavar="S", help="Stop by itself after this time.")
    ] = None,
) -> None:
    """Be one node on this machine, as on a board, until SIGTERM or Ctrl-C."""
    from flightos.commands.board import run_node

    raise CommandEnded(run_node(file, duration))


@app.command()
def status(run: RunOption = None, json: JsonOption = False) -> None:
    """Say how a run is going, or how it went."""
    from flightos.commands.inspection import show_status

    show_status(run, json)


@app.command()
def top(
    run: RunOption = None,
    period: Annotated[float, typer.Option(min=0.2, metavar="S", help="Seconds between two looks.")] = 1.0,
) -> None:
    """Watch the nodes of a run in a table that refreshes; Ctrl-C ends it."""
    from flightos.commands.inspection import watch_status

    watch_status(run, period)


@tlm.command("ls")
def tlm_ls(
    pattern: PatternArgument = "*", run: RunOption = None, path: PathOption = "both", json: JsonOption = False
) -> None:
    """List services and fields with number and range of their samples."""
    from flightos.commands.inspection import Choice, list_telemetry

    list_telemetry(run, Choice(pattern, None, None, path), json)


@tlm.command("show")
def tlm_show(
    pattern: PatternArgument = "*",
    run: RunOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    path: PathOption = "umbilical",
    last: Annotated[int, typer.Option(min=0, help="Only the last N of each series; 0 = all.")] = 10,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with new samples while the run lives.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show samples by satellite, service and field."""
    from flightos.commands.inspection import Choice, show_telemetry

    show_telemetry(run, Choice(pattern, from_, to, path), last, follow, json)


@tlm.command("plot")
def tlm_plot(
    pattern: PatternArgument,
    run: RunOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    path: PathOption = "umbilical",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PNG, SVG or PDF; default: in the terminal.")
    ] = None,
) -> None:
    """Plot fields over mission time."""
    from flightos.commands.inspection import Choice, plot_telemetry

    plot_telemetry(run, Choice(pattern, from_, to, path), out)


@tlm.command("export")
def tlm_export(
    pattern: PatternArgument = "*",
    run: RunOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    path: PathOption = "both",
    form: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet.")] = "csv",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Default: stdout (csv, jsonl).")] = None,
) -> None:
    """Write samples for other tools."""
    from flightos.commands.inspection import Choice, export_telemetry

    export_telemetry(run, Choice(pattern, from_, to, path), form, out)


@app.command()
def cmd(
    node: Annotated[str, typer.Argument(metavar="NODE", help="Number or name.")],
    command: Annotated[str, typer.Argument(metavar="SERVICE.COMMAND")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    run: RunOption = None,
    json: JsonOption = False,
) -> None:
    """Send a command to a node of a living run, over the umbilical."""
    from flightos.commands.operate import send_command

    raise CommandEnded(send_command(run, node, command, arguments or [], json))


@app.command()
def report(run: RunArgument = None) -> None:
    """Write report.html of a run and print its path."""
    from flightos.commands.listing import make_report

    make_report(run)


@app.command()
def dictionary(
    routes: Annotated[
        bool, typer.Option("--routes", help="The table of the bus instead: each record and who receives it.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Print the dictionary of telemetry and commands: a page for people, or the document for machines."""
    from flightos.commands.listing import print_dictionary, print_routes

    if routes:
        print_routes(json)
    else:
        print_dictionary(json)


@app.command()
def doctor(json: JsonOption = False) -> None:
    """Check whether this machine can fly, and say what to do where it cannot."""
    from flightos.commands.listing import print_findings

    raise CommandEnded(print_findings(json))


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first impression in a fraction of the time.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Measure against the figures this project sets itself; never fails on a figure."""
    from flightos.commands.bench import run_benchmarks

    run_benchmarks(name, json, quick)


def main() -> None:
    """Entry point: run the command line and exit with its status."""
    try:
        with endings():
            app(prog_name="flightos")
    except CommandEnded as ended:
        sys.exit(int(ended.ending))
    sys.exit(int(Ending.OK))


if __name__ == "__main__":
    main()
