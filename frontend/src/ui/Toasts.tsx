import { useEffect, useId, useSyncExternalStore } from "react";
import { Icon } from "../drawings/icons";
import { useT } from "../i18n";
import { IconButton } from "./Button";

interface Toast {
  id: number;
  text: string;
  tone: "ok" | "critical";
}

let toasts: readonly Toast[] = [];
let nextId = 1;
/** Where toasts can be shown: the page, then the dialogs that are open, each over the one before. */
let places: readonly string[] = [];
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(next: readonly Toast[]): void {
  toasts = next;
  tell();
}

/** Says that something was done, or not, without being in the way. Goes after a while; a failure stays until closed. */
export function toast(text: string, tone: Toast["tone"] = "ok"): void {
  const id = nextId++;
  set([...toasts.slice(-3), { id, text, tone }]);
  if (tone === "ok") setTimeout(() => dismiss(id), 6_000);
}

/** For whoever signs out: the next may be somebody else. */
export function clearToasts(): void {
  set([]);
}

function dismiss(id: number): void {
  set(toasts.filter((one) => one.id !== id));
}

/** On the page and in each dialog: what is outside of a modal dialog is dimmed, cannot be pressed and is not read out. */
export function Toasts(): JSX.Element {
  const t = useT();
  const place = useId();
  useEffect(() => {
    places = [...places, place];
    tell();
    return () => {
      places = places.filter((one) => one !== place);
      tell();
    };
  }, [place]);
  const all = useSyncExternalStore(subscribe, () => toasts);
  const isOnTop = useSyncExternalStore(subscribe, () => places[places.length - 1] === place);
  const shown = isOnTop ? all : [];
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((one) => (
        <div key={one.id} className={`toast toast-${one.tone}`}>
          <Icon name={one.tone === "ok" ? "check" : "warning"} />
          <span>{one.text}</span>
          <IconButton icon="close" label={t("action.close")} onClick={() => dismiss(one.id)} />
        </div>
      ))}
    </div>
  );
}
