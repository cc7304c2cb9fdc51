"""More Edge Functions than the plan allows."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra import platform as limits
from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    platform = facts.spec.platform
    most = limits.EDGE[platform.plan].functions
    if platform.provider != "supabase" or most is None:
        return
    count = sum(j.function for j in facts.judged)
    if count > most:
        yield Finding(
            facts.spec.at("platform.plan"),
            f"{count} workloads need an Edge Function each; the {platform.plan} plan allows {most}",
            "Merge workloads that do the same for different data, run some as SQL, or choose a larger plan.",
        )


RULE = Rule(
    code="E320",
    title="There are more Edge Functions than the plan allows",
    why=(
        "The deploy of those beyond the limit is refused, after the database has been changed for all of "
        "them."
    ),
    bad="""\
version: 1
project: shop
platform: {provider: supabase, plan: free} # <-- E320
workloads:
  relay-1: {trigger: manual, duration: {max: 10s}}
  relay-2: {trigger: manual, duration: {max: 10s}}
  relay-3: {trigger: manual, duration: {max: 10s}}
  relay-4: {trigger: manual, duration: {max: 10s}}
  relay-5: {trigger: manual, duration: {max: 10s}}
  relay-6: {trigger: manual, duration: {max: 10s}}
  relay-7: {trigger: manual, duration: {max: 10s}}
  relay-8: {trigger: manual, duration: {max: 10s}}
  relay-9: {trigger: manual, duration: {max: 10s}}
  relay-10: {trigger: manual, duration: {max: 10s}}
  relay-11: {trigger: manual, duration: {max: 10s}}
  relay-12: {trigger: manual, duration: {max: 10s}}
  relay-13: {trigger: manual, duration: {max: 10s}}
  relay-14: {trigger: manual, duration: {max: 10s}}
  relay-15: {trigger: manual, duration: {max: 10s}}
  relay-16: {trigger: manual, duration: {max: 10s}}
  relay-17: {trigger: manual, duration: {max: 10s}}
  relay-18: {trigger: manual, duration: {max: 10s}}
  relay-19: {trigger: manual, duration: {max: 10s}}
  relay-20: {trigger: manual, duration: {max: 10s}}
  relay-21: {trigger: manual, duration: {max: 10s}}
  relay-22: {trigger: manual, duration: {max: 10s}}
  relay-23: {trigger: manual, duration: {max: 10s}}
  relay-24: {trigger: manual, duration: {max: 10s}}
  relay-25: {trigger: manual, duration: {max: 10s}}
  relay-26: {trigger: manual, duration: {max: 10s}}
  relay-27: {trigger: manual, duration: {max: 10s}}
  relay-28: {trigger: manual, duration: {max: 10s}}
  relay-29: {trigger: manual, duration: {max: 10s}}
  relay-30: {trigger: manual, duration: {max: 10s}}
  relay-31: {trigger: manual, duration: {max: 10s}}
  relay-32: {trigger: manual, duration: {max: 10s}}
  relay-33: {trigger: manual, duration: {max: 10s}}
  relay-34: {trigger: manual, duration: {max: 10s}}
  relay-35: {trigger: manual, duration: {max: 10s}}
  relay-36: {trigger: manual, duration: {max: 10s}}
  relay-37: {trigger: manual, duration: {max: 10s}}
  relay-38: {trigger: manual, duration: {max: 10s}}
  relay-39: {trigger: manual, duration: {max: 10s}}
  relay-40: {trigger: manual, duration: {max: 10s}}
  relay-41: {trigger: manual, duration: {max: 10s}}
  relay-42: {trigger: manual, duration: {max: 10s}}
  relay-43: {trigger: manual, duration: {max: 10s}}
  relay-44: {trigger: manual, duration: {max: 10s}}
  relay-45: {trigger: manual, duration: {max: 10s}}
  relay-46: {trigger: manual, duration: {max: 10s}}
  relay-47: {trigger: manual, duration: {max: 10s}}
  relay-48: {trigger: manual, duration: {max: 10s}}
  relay-49: {trigger: manual, duration: {max: 10s}}
  relay-50: {trigger: manual, duration: {max: 10s}}
  relay-51: {trigger: manual, duration: {max: 10s}}
  relay-52: {trigger: manual, duration: {max: 10s}}
  relay-53: {trigger: manual, duration: {max: 10s}}
  relay-54: {trigger: manual, duration: {max: 10s}}
  relay-55: {trigger: manual, duration: {max: 10s}}
  relay-56: {trigger: manual, duration: {max: 10s}}
  relay-57: {trigger: manual, duration: {max: 10s}}
  relay-58: {trigger: manual, duration: {max: 10s}}
  relay-59: {trigger: manual, duration: {max: 10s}}
  relay-60: {trigger: manual, duration: {max: 10s}}
  relay-61: {trigger: manual, duration: {max: 10s}}
  relay-62: {trigger: manual, duration: {max: 10s}}
  relay-63: {trigger: manual, duration: {max: 10s}}
  relay-64: {trigger: manual, duration: {max: 10s}}
  relay-65: {trigger: manual, duration: {max: 10s}}
  relay-66: {trigger: manual, duration: {max: 10s}}
  relay-67: {trigger: manual, duration: {max: 10s}}
  relay-68: {trigger: manual, duration: {max: 10s}}
  relay-69: {trigger: manual, duration: {max: 10s}}
  relay-70: {trigger: manual, duration: {max: 10s}}
  relay-71: {trigger: manual, duration: {max: 10s}}
  relay-72: {trigger: manual, duration: {max: 10s}}
  relay-73: {trigger: manual, duration: {max: 10s}}
  relay-74: {trigger: manual, duration: {max: 10s}}
  relay-75: {trigger: manual, duration: {max: 10s}}
  relay-76: {trigger: manual, duration: {max: 10s}}
  relay-77: {trigger: manual, duration: {max: 10s}}
  relay-78: {trigger: manual, duration: {max: 10s}}
  relay-79: {trigger: manual, duration: {max: 10s}}
  relay-80: {trigger: manual, duration: {max: 10s}}
  relay-81: {trigger: manual, duration: {max: 10s}}
  relay-82: {trigger: manual, duration: {max: 10s}}
  relay-83: {trigger: manual, duration: {max: 10s}}
  relay-84: {trigger: manual, duration: {max: 10s}}
  relay-85: {trigger: manual, duration: {max: 10s}}
  relay-86: {trigger: manual, duration: {max: 10s}}
  relay-87: {trigger: manual, duration: {max: 10s}}
  relay-88: {trigger: manual, duration: {max: 10s}}
  relay-89: {trigger: manual, duration: {max: 10s}}
  relay-90: {trigger: manual, duration: {max: 10s}}
  relay-91: {trigger: manual, duration: {max: 10s}}
  relay-92: {trigger: manual, duration: {max: 10s}}
  relay-93: {trigger: manual, duration: {max: 10s}}
  relay-94: {trigger: manual, duration: {max: 10s}}
  relay-95: {trigger: manual, duration: {max: 10s}}
  relay-96: {trigger: manual, duration: {max: 10s}}
  relay-97: {trigger: manual, duration: {max: 10s}}
  relay-98: {trigger: manual, duration: {max: 10s}}
  relay-99: {trigger: manual, duration: {max: 10s}}
  relay-100: {trigger: manual, duration: {max: 10s}}
  relay-101: {trigger: manual, duration: {max: 10s}}
""",
    good="""\
version: 1
project: shop
platform: {provider: supabase, plan: pro}
workloads:
  relay-1: {trigger: manual, duration: {max: 10s}}
""",
    check=check,
)
