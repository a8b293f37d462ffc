import { useEffect, useMemo, useState } from "react";
import type { Limits } from "./api/types";
import { usePreferences, type TemperatureUnit } from "./app/preferences";
import { useLanguage, useT, type Translate } from "./i18n";
import { derivedMetrics, isDerivedMetric, isMetric, metrics } from "./metrics";

/** Numbers, times and units as somebody reads them. Times go in as RFC 3339, Date or milliseconds. */
export interface Format {
  number: (value: number, decimals?: number) => string;
  /** With its unit, in the chosen temperature unit: 21.5 °C, 45 %. A missing value is a dash. */
  value: (value: number | null | undefined, metric: string, unit?: string | null) => string;
  /** The same without its unit. */
  bare: (value: number | null | undefined, metric: string) => string;
  unit: (metric: string, unit?: string | null) => string;
  metric: (metric: string) => string;
  /** In words: 20 % to 60 %. */
  limits: (limits: Limits | undefined, metric: string) => string;
  /** From the unit of the API to the one shown, and back. Not for differences. */
  shown: (value: number, metric: string) => number;
  stored: (value: number, metric: string) => number;
  date: (time: Moment) => string;
  time: (time: Moment) => string;
  dateTime: (time: Moment) => string;
  /** 3 minutes ago, in 2 days. */
  relative: (time: Moment, now?: number) => string;
  /** 90 s → 2 minutes; the largest unit that fits. */
  duration: (seconds: number) => string;
  bytes: (bytes: number) => string;
}

export type Moment = string | number | Date;

const missing = "–";

/** Temperatures, but not differences of them. */
function isTemperature(metric: string): boolean {
  if (isMetric(metric)) return metrics[metric].unit === "°C";
  return isDerivedMetric(metric) && derivedMetrics[metric].unit === "°C";
}

function makeFormat(language: string, temperature: TemperatureUnit, t: Translate): Format {
  const inFahrenheit = temperature === "fahrenheit";
  const numbers = new Map<number, Intl.NumberFormat>();
  const number = (value: number, decimals = 0): string => {
    let format = numbers.get(decimals);
    if (!format) {
      format = new Intl.NumberFormat(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
      numbers.set(decimals, format);
    }
    // No "-0".
    const text = format.format(value);
    return /^-[0.,]*$/.test(text) ? text.slice(1) : text;
  };
  const dates = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
  const times = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
  const both = new Intl.DateTimeFormat(language, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  });
  const relatives = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

  const shown = (value: number, metric: string): number =>
    inFahrenheit && isTemperature(metric) ? value * 1.8 + 32 : value;
  const stored = (value: number, metric: string): number =>
    inFahrenheit && isTemperature(metric) ? (value - 32) / 1.8 : value;
  const unit = (metric: string, other?: string | null): string => {
    if (isTemperature(metric)) return inFahrenheit ? "°F" : "°C";
    if (isMetric(metric)) return metrics[metric].unit;
    if (isDerivedMetric(metric)) return derivedMetrics[metric].unit;
    return other ?? "";
  };
  const decimals = (value: number, metric: string): number => {
    if (isMetric(metric)) return metrics[metric].decimals;
    if (isDerivedMetric(metric)) return derivedMetrics[metric].decimals;
    return Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 2;
  };
  const bare = (value: number | null | undefined, metric: string): string =>
    typeof value === "number" ? number(shown(value, metric), decimals(value, metric)) : missing;
  const value = (amount: number | null | undefined, metric: string, other?: string | null): string => {
    if (typeof amount !== "number") return missing;
    const suffix = unit(metric, other);
    return suffix === "" ? bare(amount, metric) : `${bare(amount, metric)}\u00a0${suffix}`;
  };
  return {
    number, value, bare, unit, shown, stored,
    metric: (metric) =>
      isMetric(metric) || isDerivedMetric(metric) ? t(`metric.${metric}`) : metric.replaceAll("_", " "),
    limits: (limits, metric) => {
      const { min, max } = limits ?? {};
      if (typeof min === "number" && typeof max === "number") {
        return t("limit.between", { min: bare(min, metric), max: value(max, metric) });
      }
      if (typeof min === "number") return t("limit.at_least", { min: value(min, metric) });
      if (typeof max === "number") return t("limit.at_most", { max: value(max, metric) });
      return t("limit.none");
    },
    date: (moment) => dates.format(new Date(moment)),
    time: (moment) => times.format(new Date(moment)),
    dateTime: (moment) => both.format(new Date(moment)),
    relative: (moment, now = Date.now()) => {
      const seconds = (new Date(moment).getTime() - now) / 1000;
      const size = Math.abs(seconds);
      if (size < 45) return t("time.just_now");
      if (size < 45 * 60) return relatives.format(Math.round(seconds / 60), "minute");
      if (size < 22 * 3600) return relatives.format(Math.round(seconds / 3600), "hour");
      if (size < 26 * 86400) return relatives.format(Math.round(seconds / 86400), "day");
      if (size < 320 * 86400) return relatives.format(Math.round(seconds / (30.4 * 86400)), "month");
      return relatives.format(Math.round(seconds / (365.25 * 86400)), "year");
    },
    duration: (seconds) => {
      const [amount, name] =
        seconds < 90 ? [seconds, "second"] : seconds < 90 * 60 ? [seconds / 60, "minute"]
        : seconds < 36 * 3600 ? [seconds / 3600, "hour"] : [seconds / 86400, "day"];
      return new Intl.NumberFormat(language, { style: "unit", unit: name as string, unitDisplay: "long" })
        .format(Math.round(amount as number));
    },
    bytes: (bytes) => {
      const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
      const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
      const amount = bytes / 1000 ** step;
      return new Intl.NumberFormat(language, {
        style: "unit", unit: units[step] as string, unitDisplay: step === 0 ? "long" : "short",
        maximumFractionDigits: amount < 10 && step > 0 ? 1 : 0,
      }).format(amount);
    },
  };
}

/** The language with the reader's region, for Intl. en without one would be American: month first, and 12 hours. */
export function useRegion(): string {
  const language = useLanguage();
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(`${language}-`)) ?? language;
}

export function useFormat(): Format {
  const region = useRegion();
  const t = useT();
  const { temperature } = usePreferences();
  return useMemo(() => makeFormat(region, temperature, t), [region, temperature, t]);
}

/** The time, a step on every so many seconds: for "3 minutes ago". */
export function useNow(seconds = 30): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return now;
}
