"""The acts, in their order. Each changes the story and says what it saw."""

from infra.local.demo.acts import (
    buying,
    choosing,
    deciding,
    delivering,
    joining,
    licensing,
    paying,
    reckoning,
    registering,
    reviewing,
    stocking,
    subscribing,
)

ACTS = (
    ("Two vendors and a dispensary register", registering.play),
    ("A colleague joins, a store is added, two factors sign in", joining.play),
    ("Licenses are uploaded, submitted and verified", licensing.play),
    ("The vendors add a card and take a plan", subscribing.play),
    ("The vendors put products on sale", stocking.play),
    ("The dispensary looks around", choosing.play),
    ("The dispensary browses, quotes and checks out", buying.play),
    ("The vendors decide and pack", deciding.play),
    ("Agents are assigned, deliver and collect", delivering.play),
    ("The vendors are paid", paying.play),
    ("The dispensary says what it thinks", reviewing.play),
    ("The books, checked against each other", reckoning.play),
)
