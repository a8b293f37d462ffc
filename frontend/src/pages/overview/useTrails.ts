import { useMemo, useRef } from "react";
import { api } from "../../api/client";
import type { Plant, Sparklines } from "../../api/types";
import { useResource } from "../../api/useResource";
import { valueOf } from "../../metrics";

export const trailHours = 24;
const trailLength = trailHours * 3_600_000;
const metric = "soil_moisture";

export interface TrailPoint {
  /** Milliseconds since 1970. */
  time: number;
  /** Null: no reading for a while, so the line has a gap. */
  value: number | null;
}

export type Trail = readonly TrailPoint[];

interface Known {
  basis: Loaded | undefined;
  trail: Trail;
}

type Loaded = { step: number; plants: Map<string, Trail> };

async function load(signal: AbortSignal): Promise<Loaded> {
  const limit = 500;
  const plants = new Map<string, Trail>();
  for (let offset = 0; ; offset += limit) {
    const page = await api<Sparklines>("GET", "/plants/sparklines", {
      query: { metric, hours: trailHours, limit, offset }, signal,
    });
    const step = page.step_seconds * 1000;
    const from = new Date(page.from).getTime();
    for (const { id, values } of page.plants) {
      plants.set(id, values.map((value, index) => ({ time: from + (index + 0.5) * step, value })));
    }
    if (offset + limit >= page.total || page.plants.length === 0) return { step, plants };
  }
}

/** Soil moisture of the last 24 hours of every plant: asked for once, then carried on by what the live store hears. */
export function useTrails(plants: readonly Plant[]): ReadonlyMap<string, Trail> {
  // Without it the cards lack their lines and say so; nothing else depends on it.
  const loaded = useResource<Loaded>("sparklines", load).value;
  const known = useRef(new Map<string, Known>());
  return useMemo(() => {
    const next = new Map<string, Known>();
    for (const plant of plants) {
      const before = known.current.get(plant.id);
      const trail = before && before.basis === loaded ? before.trail : (loaded?.plants.get(plant.id) ?? []);
      next.set(plant.id, { basis: loaded, trail: carriedOn(trail, plant, loaded?.step ?? 1_800_000) });
    }
    known.current = next;
    return new Map([...next].map(([id, { trail }]) => [id, trail]));
  }, [plants, loaded]);
}

/** The same trail if there is nothing new, so that a card that did not change is not drawn again. */
export function carriedOn(trail: Trail, plant: Plant, step: number): Trail {
  const latest = plant.latest_telemetry;
  const value = valueOf(latest, metric);
  if (latest === null || value === null) return trail;
  const time = new Date(latest.measured_at[metric] ?? latest.timestamp).getTime();
  const last = trail[trail.length - 1];
  const slot = Math.floor(time / step);
  const lastSlot = last ? Math.floor(last.time / step) : -Infinity;
  // A mean stands in the middle of its half hour: what is newer may come before that.
  if (slot < lastSlot || (last && slot === lastSlot && last.value === value)) return trail;
  const kept = (slot === lastSlot ? trail.slice(0, -1) : trail).filter((point) => point.time > time - trailLength);
  const hasGap = last !== undefined && last.value !== null && slot - lastSlot > 2;
  return [...kept, ...(hasGap ? [{ time: last.time + step, value: null }] : []), { time, value }];
}
