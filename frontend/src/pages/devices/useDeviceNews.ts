import { useEffect, useRef } from "react";
import { useLiveEvents } from "../../live/hooks";

/** Calls `onNews` when the stream tells of this device, at most once in two seconds: the last news is never passed over. */
export function useDeviceNews(id: string, onNews: () => void): void {
  const latest = useRef(onNews);
  latest.current = onNews;
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  useLiveEvents((event) => {
    if ((event.name !== "telemetry" && event.name !== "device") || timer.current !== undefined) return;
    if (!event.data.includes(id)) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, 2_000);
  });
}
