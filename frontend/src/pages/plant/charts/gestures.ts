/** What hands do on a chart, in milliseconds of its time axis. */
export interface Gestures {
  /** Time at a horizontal place of the window. */
  timeAt: (clientX: number) => number;
  point: (time: number | null) => void;
  /** While a stretch is being marked with the mouse; null when that ends. */
  mark: (from: number, to: number) => void;
  unmark: () => void;
  show: (from: number, to: number) => void;
  shown: () => { from: number; to: number };
  showAll: () => void;
}

/** Less than this is a click. */
const slack = 6;

/**
 * Mouse: drag marks what to zoom into, with Shift it moves, Ctrl and the wheel zoom, a double click shows all again.
 * Touch: one finger moves sideways (up and down still scrolls the page), two zoom. Returns what ends it.
 */
export function listenToGestures(element: HTMLElement, gestures: Gestures): () => void {
  const fingers = new Map<number, number>();
  let start: { x: number; time: number; from: number; to: number; isPan: boolean; hasMoved: boolean } | null = null;
  let pinch: { distance: number; middle: number; from: number; to: number } | null = null;

  const width = (): number => {
    const { from, to } = gestures.shown();
    return to - from;
  };
  const perPixel = (): number => Math.abs(gestures.timeAt(1) - gestures.timeAt(0));

  function down(event: PointerEvent): void {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    fingers.set(event.pointerId, event.clientX);
    element.setPointerCapture(event.pointerId);
    const time = gestures.timeAt(event.clientX);
    const isPan = event.pointerType !== "mouse" || event.shiftKey;
    start = { x: event.clientX, time, ...gestures.shown(), isPan, hasMoved: false };
    if (fingers.size === 2) {
      const [a = 0, b = 0] = [...fingers.values()];
      pinch = { distance: Math.max(Math.abs(a - b), 20), middle: gestures.timeAt((a + b) / 2), ...gestures.shown() };
    }
    if (event.pointerType !== "mouse") gestures.point(time);
  }

  function move(event: PointerEvent): void {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event.clientX);
    if (pinch && fingers.size >= 2) {
      const [a = 0, b = 0] = [...fingers.values()];
      const factor = pinch.distance / Math.max(Math.abs(a - b), 20);
      gestures.show(pinch.middle - (pinch.middle - pinch.from) * factor, pinch.middle + (pinch.to - pinch.middle) * factor);
      return;
    }
    const time = gestures.timeAt(event.clientX);
    if (!start || !fingers.has(event.pointerId)) {
      gestures.point(time);
      return;
    }
    start.hasMoved ||= Math.abs(event.clientX - start.x) > slack;
    if (!start.hasMoved) return;
    if (start.isPan) {
      const away = (event.clientX - start.x) * perPixel();
      gestures.show(start.from - away, start.to - away);
    } else {
      gestures.point(time);
      gestures.mark(Math.min(start.time, time), Math.max(start.time, time));
    }
  }

  function up(event: PointerEvent): void {
    fingers.delete(event.pointerId);
    if (fingers.size < 2) pinch = null;
    if (start && start.hasMoved && !start.isPan && event.type === "pointerup") {
      const time = gestures.timeAt(event.clientX);
      gestures.show(Math.min(start.time, time), Math.max(start.time, time));
    }
    gestures.unmark();
    start = null;
  }

  function leave(event: PointerEvent): void {
    if (event.pointerType === "mouse") gestures.point(null);
  }

  function wheel(event: WheelEvent): void {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const around = gestures.timeAt(event.clientX);
    const { from } = gestures.shown();
    const factor = event.deltaY > 0 ? 1.25 : 0.8;
    const next = width() * factor;
    const begin = around - ((around - from) / width()) * next;
    gestures.show(begin, begin + next);
  }

  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", leave);
  element.addEventListener("dblclick", gestures.showAll);
  // Not passive: or the page itself would be zoomed.
  element.addEventListener("wheel", wheel, { passive: false });
  return () => {
    element.removeEventListener("pointerdown", down);
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", up);
    element.removeEventListener("pointercancel", up);
    element.removeEventListener("pointerleave", leave);
    element.removeEventListener("dblclick", gestures.showAll);
    element.removeEventListener("wheel", wheel);
  };
}
