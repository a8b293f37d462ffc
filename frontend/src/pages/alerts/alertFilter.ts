import type { Alert, AlertKind } from "../../api/types";

export const kinds: readonly AlertKind[] = [
  "threshold", "device_offline", "battery_low", "sensor_stuck", "certificate_expiring", "disk_filling",
  "ingest_stalled", "dead_letters",
];

/** As it stands in the address. `from` is a day of this place, YYYY-MM-DD. */
export interface AlertFilter {
  plant: string | null;
  device: string | null;
  kind: AlertKind | null;
  from: string | null;
}

const identifier = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What is not as it should be counts as not given: an address may say anything. */
export function readFilter(query: URLSearchParams): AlertFilter {
  const id = (name: string): string | null => {
    const text = query.get(name);
    return text !== null && identifier.test(text) ? text.toLowerCase() : null;
  };
  const from = query.get("from");
  return {
    plant: id("plant"), device: id("device"),
    kind: kinds.find((kind) => kind === query.get("kind")) ?? null,
    from: from !== null && dayStart(from) !== null ? from : null,
  };
}

/** Midnight of that day, here; null for what is no day. */
export function dayStart(day: string): string | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!parts) return null;
  const time = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  // The 31st of February is another day.
  return time.getDate() === Number(parts[3]) && time.getFullYear() >= 1970 ? time.toISOString() : null;
}

export function isFiltered(filter: AlertFilter): boolean {
  return filter.plant !== null || filter.device !== null || filter.kind !== null;
}

/** Whether an open alert is one of those asked for. How long ago it began does not matter: it is open. */
export function passes(alert: Alert, filter: AlertFilter): boolean {
  return (filter.plant === null || alert.plant_id === filter.plant)
    && (filter.device === null || alert.device_id === filter.device)
    && (filter.kind === null || alert.kind === filter.kind);
}

const worst = { critical: 0, warning: 1 };

/** What nobody has seen to first, then the worst, then the newest. */
export function byUrgency(a: Alert, b: Alert): number {
  return Number(a.acknowledged_at !== null) - Number(b.acknowledged_at !== null)
    || worst[a.severity] - worst[b.severity] || Date.parse(b.started_at) - Date.parse(a.started_at);
}
