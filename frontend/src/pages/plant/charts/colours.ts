import { useEffect, useState } from "react";
import { usePreferences } from "../../../app/preferences";

/** A canvas knows no custom properties: the tokens' values, read from the stylesheet. */
export interface Colours {
  readonly line: string;
  readonly grid: string;
  readonly axis: string;
  readonly outside: string;
  readonly limit: string;
  readonly warning: string;
  readonly critical: string;
  readonly event: string;
}

/** Series of the first metrics; all others share the last one. Each has a chart of its own, so none need differ. */
const series: Readonly<Record<string, string>> = {
  soil_moisture: "--series-1", temperature: "--series-2", humidity: "--series-6", light_level: "--series-4",
  soil_temperature: "--series-2", soil_ec: "--series-5", vpd_kpa: "--series-5",
};

/** Read anew, and so drawn anew, when the theme changes: by choice or by the system. */
export function useTheme(): string {
  const { theme } = usePreferences();
  const query = "(prefers-color-scheme: dark)";
  const [isDark, setDark] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const media = window.matchMedia(query);
    const listen = (): void => setDark(media.matches);
    media.addEventListener("change", listen);
    return () => media.removeEventListener("change", listen);
  }, []);
  return theme === "auto" ? (isDark ? "dark" : "light") : theme;
}

export function coloursOf(metric: string): Colours {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    line: token(series[metric] ?? "--series-3"), grid: token("--chart-grid"), axis: token("--line-strong"),
    outside: token("--chart-limit"), limit: token("--critical"), warning: token("--warning"),
    critical: token("--critical"), event: token("--info"),
  };
}
