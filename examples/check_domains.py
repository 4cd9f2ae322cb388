"""Check several domains at once, inside a program that has its own event loop.

python examples/check_domains.py example.com example.org
"""

import asyncio
import sys

from smtpdoc import aio


async def main(domains: list[str]) -> int:
    reports = await asyncio.gather(*(aio.auth_check(domain) for domain in domains))
    for report in reports:
        print(f"{report.target}: {report.level}")
        for finding in report.findings:
            print(f"  {finding.level} {finding.id}: {finding.message}")
    return max((report.exit_code for report in reports), default=0)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
