import { useCallback, useRef, useState } from "react";
import type { Derived, LatestTelemetry } from "../../../api/types";
import { useLiveEvents } from "../../../live/hooks";
import type { LivePoint } from "./rows";

/** As many as a chart is given before it is loaded anew, in even steps. */
const most = 900;

export interface LivePoints {
  of: (metric: string) => readonly LivePoint[];
  /** Rises with every new point. */
  version: number;
  isFull: boolean;
  clear: () => void;
}

const none: readonly LivePoint[] = [];

/** What a plant's devices have said since the page was opened. */
export function useLivePoints(plant: string): LivePoints {
  const points = useRef(new Map<string, LivePoint[]>());
  const [version, setVersion] = useState(0);
  const [isFull, setFull] = useState(false);
  useLiveEvents((event) => {
    if (event.name !== "telemetry") return;
    const data = JSON.parse(event.data) as {
      plant_id: string | null; latest_telemetry: LatestTelemetry | null; derived: Derived | null;
    };
    if (data.plant_id !== plant || !data.latest_telemetry) return;
    const telemetry = data.latest_telemetry;
    let hasNews = false;
    const put = (metric: string, time: number, value: unknown): void => {
      if (typeof value !== "number" || !Number.isFinite(time)) return;
      const list = points.current.get(metric) ?? [];
      // A late reading is for the history.
      if (time <= (list[list.length - 1]?.time ?? 0)) return;
      points.current.set(metric, [...list, { time, value }]);
      hasNews = true;
      if (list.length >= most) setFull(true);
    };
    for (const [metric, time] of Object.entries(telemetry.measured_at)) put(metric, Date.parse(time), telemetry[metric]);
    for (const [metric, value] of Object.entries(data.derived ?? {})) {
      if (metric !== "dli_mol_m2_d") put(metric, Date.parse(telemetry.timestamp), value);
    }
    if (hasNews) setVersion((old) => old + 1);
  });
  const of = useCallback((metric: string) => points.current.get(metric) ?? none, []);
  const clear = useCallback(() => {
    points.current.clear();
    setFull(false);
    setVersion((old) => old + 1);
  }, []);
  return { of, version, isFull, clear };
}
