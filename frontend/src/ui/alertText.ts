import { useMemo } from "react";
import type { Alert } from "../api/types";
import type { IconName } from "../drawings/icons";
import { useFormat, type Format } from "../format";
import { useLanguage, useT, type Translate } from "../i18n";
import { isMetric, metrics } from "../metrics";

/** What an alert says, in words. */
export interface AlertText {
  /** Whom it is about: the plant, the device, or PlantOps itself. */
  subject: (alert: Alert) => string;
  /** What is wrong with it, or was: "Soil moisture 12 %, below 20 %". */
  what: (alert: Alert) => string;
  /** Both in one line: "Monstera: soil moisture 12 %, below 20 %". */
  sentence: (alert: Alert) => string;
  /** How it ended; null while it is open. */
  ending: (alert: Alert) => string | null;
  icon: (alert: Alert) => IconName;
}

const icons: Record<Exclude<Alert["kind"], "threshold" | "sensor_stuck">, IconName> = {
  device_offline: "offline", battery_low: "battery", certificate_expiring: "key", disk_filling: "warning",
  ingest_stalled: "database", dead_letters: "question",
};

export function useAlertText(): AlertText {
  const t = useT();
  const format = useFormat();
  const language = useLanguage();
  return useMemo(() => makeAlertText(t, format, language), [t, format, language]);
}

function makeAlertText(t: Translate, format: Format, language: string): AlertText {
  const subject = (alert: Alert): string => {
    const device = alert.device_name ?? t("alert.gone_device");
    switch (alert.kind) {
      case "threshold": return alert.plant_name ?? t("alert.gone_plant");
      case "device_offline": case "battery_low": case "sensor_stuck": return device;
      default: return t("app.name");
    }
  };
  const what = (alert: Alert): string => {
    const isOver = alert.state === "resolved";
    switch (alert.kind) {
      case "threshold": return threshold(alert, isOver);
      case "device_offline": return isOver ? t("alert.was_offline") : t("alert.offline");
      case "battery_low":
        if (isOver) return t("alert.battery_was_low");
        return alert.value === null ? t("alert.battery_low")
          : t("alert.battery_at", { value: format.value(alert.value, "battery") });
      case "sensor_stuck": {
        const metric = format.metric(alert.metric ?? "");
        if (isOver) return t("alert.was_stuck", { metric });
        return alert.value === null ? t("alert.stuck", { metric })
          : t("alert.stuck_at", { metric, value: format.value(alert.value, alert.metric ?? "", alert.unit) });
      }
      case "certificate_expiring": {
        if (isOver) return t("alert.certificate_was_expiring");
        if (alert.value !== null && alert.value < 0) return t("alert.certificate_expired");
        // The value is of the day it was noticed; the date in the server's words holds.
        const day = /\d{4}-\d{2}-\d{2}/.exec(alert.detail ?? "")?.[0];
        return day === undefined ? t("alert.certificate_expiring")
          : t("alert.certificate_expires", { date: format.date(`${day}T12:00:00Z`) });
      }
      case "disk_filling":
        if (isOver) return t("alert.disk_was_filling");
        return alert.value === null ? t("alert.disk_filling")
          : t("alert.disk_free", { value: format.number(Math.floor(alert.value)) });
      case "ingest_stalled": return isOver ? t("alert.ingest_was_stalled") : t("alert.ingest_stalled");
      case "dead_letters":
        if (isOver) return t("alert.letters_were_refused");
        return alert.value === null ? t("alert.letters_refused") : t("alert.letters_count", { count: alert.value });
      // A newer server may know more.
      default: return (alert as Alert).detail ?? t("alert.other");
    }
  };
  const threshold = (alert: Alert, isOver: boolean): string => {
    const name = alert.metric ?? "";
    const metric = format.metric(name);
    const isHigh = alert.direction === "max";
    if (alert.limit === null) {
      return t(isOver ? (isHigh ? "alert.was_high" : "alert.was_low") : (isHigh ? "alert.high" : "alert.low"), { metric });
    }
    const [value, limit] = apart(alert.value, alert.limit, name, alert.unit, format);
    // It ends with the value that is well again, which says nothing of what was wrong.
    if (isOver) return t(isHigh ? "alert.was_above" : "alert.was_below", { metric, limit });
    if (value === null) return t(isHigh ? "alert.above" : "alert.below", { metric, limit });
    // Light is judged by the sum of a day.
    const amount = name === "light_level" ? t("alert.on_average", { value }) : value;
    return t(isHigh ? "alert.value_above" : "alert.value_below", { metric, value: amount, limit });
  };
  const ending = (alert: Alert): string | null => {
    if (alert.state !== "resolved") return null;
    return alert.resolution === null ? t("alert.ended") : t(`alert.ended_${alert.resolution}`);
  };
  return {
    subject, what, ending,
    sentence: (alert) => {
      const text = what(alert);
      // German keeps its capitals within a sentence.
      const isName = /^.[A-Z]/.test(text) || text.startsWith(t("app.name"));
      const within = language === "en" && !isName ? text.charAt(0).toLowerCase() + text.slice(1) : text;
      return `${subject(alert)}: ${within}`;
    },
    icon: (alert) => {
      if (alert.kind !== "threshold" && alert.kind !== "sensor_stuck") return icons[alert.kind] ?? "warning";
      return alert.metric !== null && isMetric(alert.metric) ? metrics[alert.metric].icon : "leaf";
    },
  };
}

/** With their unit, and with as many decimals as tell them apart: not "20 %, below 20 %". */
function apart(
  value: number | null, limit: number, metric: string, unit: string | null, format: Format,
): [string | null, string] {
  const plain = format.value(limit, metric, unit);
  if (value === null) return [null, plain];
  if (value === limit || format.bare(value, metric) !== format.bare(limit, metric)) {
    return [format.value(value, metric, unit), plain];
  }
  const exact = (amount: number, decimals: number): string => format.number(format.shown(amount, metric), decimals);
  const decimals = [1, 2, 3].find((places) => exact(value, places) !== exact(limit, places)) ?? 3;
  const suffix = format.unit(metric, unit);
  return [value, limit].map((amount) => `${exact(amount, decimals)}\u00a0${suffix}`.trim()) as [string, string];
}
