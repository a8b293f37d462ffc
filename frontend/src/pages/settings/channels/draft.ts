import type { Channel, QuietHours, Severity } from "../../../api/types";
import { sameQuietHours, usualQuietHours } from "../QuietHoursFields";

/** A channel as it stands in its form. */
export interface ChannelDraft {
  kind: Channel["kind"];
  name: string;
  /** Empty: as before. It is never shown in full. */
  url: string;
  secretMode: "made" | "kept" | "given" | "none";
  secret: string;
  severity: Severity;
  scope: "all" | "rooms" | "plants";
  rooms: string[];
  plantIds: string[];
  quiet: "inherited" | "own" | "none";
  hours: QuietHours;
  digest: "inherited" | "yes" | "no";
  enabled: boolean;
}

export function draftOf(channel: Channel | null): ChannelDraft {
  return {
    kind: channel?.kind ?? "discord", name: channel?.name ?? "", url: "",
    secretMode: channel ? "kept" : "made", secret: "", severity: channel?.min_severity ?? "warning",
    scope: channel?.plant_ids ? "plants" : channel?.rooms ? "rooms" : "all",
    rooms: channel?.rooms ?? [], plantIds: channel?.plant_ids ?? [],
    quiet: channel?.quiet_hours ? "own" : channel?.inherits_quiet_hours === false ? "none" : "inherited",
    hours: channel?.quiet_hours ?? usualQuietHours(),
    digest: (channel?.digest ?? null) === null ? "inherited" : channel?.digest ? "yes" : "no",
    enabled: channel?.enabled ?? true,
  };
}

/** What is to be sent: only what differs from the channel, or from what a new one would be without saying so. */
export function changes(draft: ChannelDraft, channel: Channel | null): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const before = draftOf(channel);
  if (channel === null) body["kind"] = draft.kind;
  if (draft.name.trim() !== before.name) body["name"] = draft.name.trim();
  if (draft.url.trim() !== "") body["url"] = draft.url.trim();
  if (draft.kind === "webhook" && draft.secretMode === "given") body["secret"] = draft.secret;
  if (draft.kind === "webhook" && draft.secretMode === "none") body["secret"] = null;
  if (draft.severity !== before.severity) body["min_severity"] = draft.severity;
  const rooms = draft.scope === "rooms" ? draft.rooms : null;
  const plants = draft.scope === "plants" ? draft.plantIds : null;
  if (!sameList(rooms, channel?.rooms ?? null)) body["rooms"] = rooms;
  if (!sameList(plants, channel?.plant_ids ?? null)) body["plant_ids"] = plants;
  const hours = draft.quiet === "own" ? draft.hours : null;
  if (!sameQuietHours(hours, channel?.quiet_hours ?? null)) body["quiet_hours"] = hours;
  if (draft.quiet !== before.quiet && draft.quiet !== "own") body["inherits_quiet_hours"] = draft.quiet === "inherited";
  if (draft.digest !== before.digest) body["digest"] = draft.digest === "inherited" ? null : draft.digest === "yes";
  if (draft.enabled !== before.enabled) body["enabled"] = draft.enabled;
  return body;
}

function sameList(one: string[] | null, other: string[] | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((value) => other.includes(value));
}
