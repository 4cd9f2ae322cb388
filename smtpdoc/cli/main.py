"""The command line: reads what was asked, prints the answer, and ends with the documented exit code.

This module imports next to nothing, so that the first thing a run does can be done at once.
"""

from __future__ import annotations

import errno
import gc
import os
import sys

from smtpdoc.version import __version__

# Nearly all that a run makes, it keeps until it ends: looking for garbage every 700 objects, as Python does, takes a
# fifth of a short run's time. A run over a long list is still swept now and then.
SWEEP_AFTER = 50_000
#: What a file or disk that is full says.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(SWEEP_AFTER)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us, as cron jobs do with >&-
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - as long as the program runs
        # An ASCII terminal shows \\xe4 rather than a traceback.
        getattr(sys, name).reconfigure(errors="backslashreplace")
    arguments = sys.argv[1:]
    try:
        if arguments[:1] == ["probe"]:
            from smtpdoc.cli import head_start

            head_start.begin(arguments[1:])
        code = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:  # so early that `run` could not take it
        code = 130
    except BrokenPipeError:
        # `smtpdoc ... | head`: the reader has gone; nothing more can be said on stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 128 + 13
    except OSError as error:  # stdout is a file on a disk that is full
        sys.stderr.write(_cannot_write(error) + "\n")
        code = 2
    sys.stderr.flush()
    # All is said and every file is closed: the system takes the rest back at once, where Python would go through it.
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Return the exit code for some arguments; errors are told on stderr."""
    import click

    from smtpdoc.cli.group import cli
    from smtpdoc.errors import SmtpdocError
    from smtpdoc.report import ExitCode

    try:
        result = cli.main(arguments, prog_name="smtpdoc", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except SmtpdocError as error:
        click.echo(f"Error: {error}", err=True)
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno not in _NO_ROOM:
            click.echo(bug_words(error), err=True)
            return ExitCode.BUG
        click.echo(_cannot_write(error), err=True)
        return ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - the last door: a bug of ours, told without a traceback
        click.echo(bug_words(error), err=True)
        return ExitCode.BUG
    return int(result) if isinstance(result, int) else ExitCode.OK


def _cannot_write(error: OSError) -> str:
    return f"Error: cannot write the answer: {error.strerror}."


def bug_words(error: Exception) -> str:
    """Return what to report about a bug: where it happened, without the values, which might hold a secret."""
    while isinstance(error, ExceptionGroup):  # several tasks at once: the first one's reason
        error = error.exceptions[0]
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return (
        f"smtpdoc {__version__} has a bug: {type(error).__name__} at {place}.\n"
        "Please report it with this line and the command you ran (leave out passwords)."
    )


if __name__ == "__main__":
    main()
