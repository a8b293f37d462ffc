import type { Alert, PlantEvent } from "../../../api/types";
import type { IconName } from "../../../drawings/icons";
import type { Format } from "../../../format";
import type { Translate } from "../../../i18n";
import { eventIcons, eventWords } from "../words";

/** Something that happened, drawn over a chart and told in words below it. */
export interface Mark {
  id: string;
  time: number;
  /** Of what lasts; null: it goes on. */
  until?: number | null;
  icon: IconName;
  tone: "warning" | "critical" | "event";
  text: string;
}

export function alertMarks(alerts: readonly Alert[], metric: string, what: (alert: Alert) => string): Mark[] {
  return alerts.filter((alert) => alert.metric === metric && alert.fired_at !== null).map((alert) => ({
    id: alert.id, time: Date.parse(alert.fired_at ?? alert.started_at),
    until: alert.resolved_at === null ? null : Date.parse(alert.resolved_at),
    icon: alert.severity, tone: alert.severity,
    text: what(alert),
  }));
}

export function eventMarks(events: readonly PlantEvent[], format: Format, t: Translate): Mark[] {
  return events.map((event) => ({
    id: event.id, time: Date.parse(event.at), icon: eventIcons[event.kind], tone: "event",
    text: eventWords(event, format, t),
  }));
}

export function inView(marks: readonly Mark[], from: number, to: number, now: number): Mark[] {
  return marks.filter((mark) => mark.time <= to && (mark.until === undefined ? mark.time : mark.until ?? now) >= from);
}
