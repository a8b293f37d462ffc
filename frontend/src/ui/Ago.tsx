import { useCallback, useSyncExternalStore } from "react";
import { useFormat } from "../format";

const step = 10_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** One clock for all of a page, however many times it shows. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    // It stood still while nobody looked at it.
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const one of listeners) one();
    }, step);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** "3 minutes ago", which goes on by itself; the exact time on pointing at it. Drawn anew only when its words change. */
export function Ago({ time }: { time: string }): JSX.Element {
  const format = useFormat();
  // What has just come is younger than the clock's last step.
  const words = useCallback(() => format.relative(time, Math.max(now, new Date(time).getTime())), [format, time]);
  return <time dateTime={time} title={format.dateTime(time)}>{useSyncExternalStore(subscribe, words)}</time>;
}
