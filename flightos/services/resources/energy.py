"""How much energy may be spent beyond the standing load from now until the end of the next eclipse.

Theory of operation. Charge E grows with the array A while the node is sunlit and falls with the standing
load L always; it cannot exceed the capacity C and shall not fall below the floor F. With s seconds of
sunlight to come and then e seconds of eclipse, computing costs at most R more than idling, and it is assumed
to start now and to run without a break. The energy that may be spent that way is the least of three bounds
(derivation in sdd.md):
  1. E + (A - L) s - L e - F      nothing is lost to a full battery;
  2. R s + C - L e - F            sunlight that a full battery cannot take serves only while it is being spent;
  3. (E - F) R / (R - (A - L))    charge falls although the Sun shines (R > A - L) and must not touch the floor there.
All numbers are integers: mW x s = mJ.
"""

from __future__ import annotations


def energy_available_mj(
    charge_mj: int,
    capacity_mj: int,
    floor_mj: int,
    array_mw: int,
    standing_mw: int,
    computing_mw: int,
    sunlit_s: int,
    eclipse_s: int,
) -> int:
    """The most energy that may be spent beyond the standing load, in mJ; 0 when nothing may be.

    `computing_mw` is what full compute load draws more than idle compute; `sunlit_s` until the eclipse (0
    when inside), `eclipse_s` its remaining length. Spending this much, from now on and at `computing_mw`,
    keeps charge at or above `floor_mj` until the eclipse ends.
    """
    if charge_mj <= floor_mj:
        return 0
    surplus_mw = array_mw - standing_mw
    after_eclipse_mj = standing_mw * eclipse_s + floor_mj
    available_mj = min(
        charge_mj + surplus_mw * sunlit_s - after_eclipse_mj,
        computing_mw * sunlit_s + capacity_mj - after_eclipse_mj,
    )
    drain_mw = computing_mw - surplus_mw
    if drain_mw > 0 and drain_mw * sunlit_s > charge_mj - floor_mj:
        available_mj = min(available_mj, (charge_mj - floor_mj) * computing_mw // drain_mw)
    return max(available_mj, 0)
