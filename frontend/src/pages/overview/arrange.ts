import type { Plant, PlantStatus } from "../../api/types";
import { valueOf } from "../../metrics";

export const sorts = ["status", "name", "driest", "room", "newest"] as const;
export type Sort = (typeof sorts)[number];
/** Worst first. */
export const statuses = ["critical", "warning", "stale", "unknown", "ok"] as const;
export type View = "cards" | "list";

/** What the address says of how the plants are shown. */
export interface Arrangement {
  search: string;
  status: PlantStatus | null;
  room: string | null;
  sort: Sort;
  view: View;
}

export function readArrangement(query: URLSearchParams): Arrangement {
  return {
    search: query.get("q") ?? "",
    status: statuses.find((status) => status === query.get("status")) ?? null,
    room: query.get("room") || null,
    sort: sorts.find((sort) => sort === query.get("sort")) ?? "status",
    view: query.get("view") === "list" ? "list" : "cards",
  };
}

/** Without case and accents: "épine" is found by "EPINE". */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{Diacritic}/gu, "").replaceAll("ß", "ss").toLowerCase();
}

/** All but for the status, so that each status can say how many there are. */
export function matching(plants: readonly Plant[], { search, room }: Arrangement): Plant[] {
  const words = fold(search).split(/\s+/).filter(Boolean);
  return plants.filter((plant) => {
    if (room !== null && plant.room !== room) return false;
    const text = fold(`${plant.name} ${plant.species ?? ""} ${plant.room ?? ""}`);
    return words.every((word) => text.includes(word));
  });
}

export function sorted(plants: readonly Plant[], sort: Sort, language: string): Plant[] {
  const collator = new Intl.Collator(language, { numeric: true, sensitivity: "base" });
  const byName = (a: Plant, b: Plant): number => collator.compare(a.name, b.name);
  const moisture = (plant: Plant): number => valueOf(plant.latest_telemetry, "soil_moisture") ?? Infinity;
  const orders: Record<Sort, (a: Plant, b: Plant) => number> = {
    status: (a, b) => statuses.indexOf(a.status) - statuses.indexOf(b.status) || byName(a, b),
    name: byName,
    // Two plants without a value: Infinity - Infinity is not a number.
    driest: (a, b) => (moisture(a) === moisture(b) ? byName(a, b) : moisture(a) - moisture(b)),
    // Those without a room last.
    room: (a, b) => Number(a.room === null) - Number(b.room === null)
      || collator.compare(a.room ?? "", b.room ?? "") || byName(a, b),
    newest: (a, b) => b.created_at.localeCompare(a.created_at) || byName(a, b),
  };
  return [...plants].sort(orders[sort]);
}

/** In the order of the alphabet, each once. */
export function roomsOf(plants: readonly Plant[], language: string): string[] {
  const rooms = new Set(plants.flatMap((plant) => (plant.room === null ? [] : [plant.room])));
  return [...rooms].sort(new Intl.Collator(language, { numeric: true }).compare);
}
