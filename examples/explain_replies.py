"""Sort the addresses of a bounce list: which to suppress, which to try again, which to look at.

    python examples/explain_replies.py < replies.txt

Each line is an address, a tab, and the reply that its server gave.
"""

import sys

import smtpdoc


def main() -> None:
    for line in sys.stdin:
        address, _, reply = line.rstrip("\n").partition("\t")
        explanation = smtpdoc.explain(reply).evidence.explanation
        if explanation is None:
            print(f"{address}\tlook\tno reply in this line")
        elif explanation.action == "suppress":
            print(f"{address}\tsuppress\t{explanation.title}")
        elif explanation.retry.should:
            print(f"{address}\tretry in {explanation.retry.first_s} s\t{explanation.title}")
        else:
            print(f"{address}\t{explanation.action}\t{explanation.title}")


if __name__ == "__main__":
    main()
