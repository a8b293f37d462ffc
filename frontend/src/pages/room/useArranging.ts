import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type RefObject } from "react";
import { api } from "../../api/client";
import type { Plant, Position } from "../../api/types";
import { useT } from "../../i18n";
import { live } from "../../live/hooks";
import { problemText } from "../../ui/form";
import { toast } from "../../ui/Toasts";
import { entrance, inside, placeAt, settled } from "./places";

/** A plant in somebody's hand. */
export interface Held {
  readonly id: string;
  readonly at: Position;
  /** Where it was; null: in the tray. */
  readonly from: Position | null;
  readonly by: "keyboard" | "pointer";
}

/** What was put somewhere, until the store has heard of it too. */
interface Moved {
  readonly position: Position | null;
  /** `updated_at` of the answer; null while it is not there yet. */
  readonly since: string | null;
}

export interface Arranging {
  readonly held: Held | null;
  /** Said to those who do not see it move. */
  readonly announcement: string;
  /** The plant that has just gone from the tray into the room, or back: it takes the focus along. */
  readonly arrived: string | null;
  welcome: () => void;
  positionOf: (plant: Plant) => Position | null;
  /** Gives whether the key was meant for moving. */
  keyDown: (plant: Plant, event: KeyboardEvent<HTMLElement>) => boolean;
  blur: (plant: Plant) => void;
  pointerDown: (plant: Plant, event: PointerEvent<HTMLElement>) => void;
  pointerMove: (plant: Plant, event: PointerEvent<HTMLElement>) => void;
  pointerUp: (plant: Plant) => void;
  pointerCancel: (plant: Plant) => void;
  /** Whether the click that follows a drag is to be overlooked. */
  wasDragged: () => boolean;
  takeOut: (plant: Plant) => void;
}

const steps: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-2, 0], ArrowRight: [2, 0], ArrowUp: [0, -2], ArrowDown: [0, 2],
};
/** A finger that taps also moves a little. */
const dragBegins = 6;

/** Moving plants by pointer and by keyboard, and saving where they are put. */
export function useArranging(stage: RefObject<HTMLElement>, plants: readonly Plant[], isAllowed: boolean): Arranging {
  const t = useT();
  const [held, setHeld] = useState<Held | null>(null);
  /** The same without waiting for a drawing: React may not have drawn the last move when the pointer lets go. */
  const hand = useRef<Held | null>(null);
  const [moved, setMoved] = useState<Readonly<Record<string, Moved>>>({});
  const [announcement, announce] = useState("");
  const [arrived, setArrived] = useState<string | null>(null);
  const welcome = useCallback(() => setArrived(null), []);
  const drag = useRef<{ id: string; from: Position | null; startX: number; startY: number; offsetX: number; offsetY: number } | null>(null);
  const dragged = useRef(false);
  /** Of each plant, the last request: the next waits for it, or they could overtake each other. */
  const requests = useRef(new Map<string, Promise<void>>());

  function hold(next: Held | null): void {
    hand.current = next;
    setHeld(next);
  }

  // Somebody else may have removed it, or carried it into another room.
  const isGone = held !== null && plants.every((plant) => plant.id !== held.id);
  useEffect(() => {
    if (!isGone) return;
    drag.current = null;
    hand.current = null;
    setHeld(null);
  }, [isGone]);

  function positionOf(plant: Plant): Position | null {
    if (held?.id === plant.id) return held.at;
    const own = moved[plant.id];
    const isNewer = own && (own.since === null || Date.parse(own.since) > Date.parse(plant.updated_at));
    const position = isNewer ? own.position : plant.position;
    return position && inside(position);
  }

  async function send(plant: Plant, position: Position | null): Promise<void> {
    try {
      const saved = position
        ? await api<Plant>("PUT", `/plants/${plant.id}/position`, { body: position })
        : await api<Plant>("PUT", `/plants/${plant.id}`, { body: { position: null } });
      setMoved((old) => (old[plant.id]?.position === position ? { ...old, [plant.id]: { position, since: saved.updated_at } } : old));
      live.putPlant(saved);
    } catch (error) {
      setMoved((old) => {
        if (old[plant.id]?.position !== position) return old;
        const { [plant.id]: _, ...others } = old;
        return others;
      });
      toast(t("room.not_saved", { name: plant.name, reason: problemText(error, t) }), "critical");
    }
  }

  function save(plant: Plant, position: Position | null): void {
    setMoved((old) => ({ ...old, [plant.id]: { position, since: null } }));
    const before = requests.current.get(plant.id) ?? Promise.resolve();
    requests.current.set(plant.id, before.then(() => send(plant, position)));
  }

  function place(position: Position): string {
    return t(`room.at_${placeAt(position)}`);
  }

  function putDown(plant: Plant): void {
    const carried = hand.current;
    if (carried?.id !== plant.id) return;
    const position = settled(carried.at);
    hold(null);
    if (!carried.from && carried.by === "keyboard") setArrived(plant.id);
    announce(t("room.put_down", { name: plant.name, place: place(position) }));
    save(plant, position);
  }

  function putBack(plant: Plant): void {
    drag.current = null;
    if (hand.current?.id !== plant.id) return;
    hold(null);
    announce(t("room.put_back", { name: plant.name }));
  }

  function keyDown(plant: Plant, event: KeyboardEvent<HTMLElement>): boolean {
    if (!isAllowed) return false;
    const carried = hand.current?.id === plant.id ? hand.current : null;
    if (event.key === "Enter") {
      event.preventDefault();
      if (event.repeat) return true;
      if (carried) {
        putDown(plant);
      } else {
        const from = positionOf(plant);
        hold({ id: plant.id, at: from ?? entrance, from, by: "keyboard" });
        announce(t("room.picked_up", { name: plant.name }));
      }
      return true;
    }
    if (!carried) return false;
    if (event.key === "Escape") {
      event.preventDefault();
      putBack(plant);
      return true;
    }
    const step = steps[event.key];
    if (!step) return false;
    event.preventDefault();
    const wide = event.shiftKey ? 5 : 1;
    const at = inside({ x: carried.at.x + step[0] * wide, y: carried.at.y + step[1] * wide });
    hold({ ...carried, at });
    announce(t("room.moved", { across: Math.round(at.x), down: Math.round(at.y), place: place(settled(at)) }));
    return true;
  }

  function pointerDown(plant: Plant, event: PointerEvent<HTMLElement>): void {
    dragged.current = false;
    if (!isAllowed || event.button !== 0 || !event.isPrimary || hand.current) return;
    const box = event.currentTarget.getBoundingClientRect();
    const from = positionOf(plant);
    drag.current = {
      id: plant.id, from, startX: event.clientX, startY: event.clientY,
      // From the pointer to the foot of the pot, which is what a position means.
      offsetX: from ? box.left + box.width / 2 - event.clientX : 0,
      offsetY: from ? box.bottom - event.clientY : 24,
    };
    event.currentTarget.setPointerCapture(event.pointerId);
  }

  function pointerMove(plant: Plant, event: PointerEvent<HTMLElement>): void {
    const start = drag.current;
    const room = stage.current?.getBoundingClientRect();
    if (start?.id !== plant.id || !room) return;
    const isFar = Math.hypot(event.clientX - start.startX, event.clientY - start.startY) >= dragBegins;
    if (!dragged.current && !isFar) return;
    dragged.current = true;
    const at = inside({
      x: ((event.clientX + start.offsetX - room.left) / room.width) * 100,
      y: ((event.clientY + start.offsetY - room.top) / room.height) * 100,
    });
    hold({ id: plant.id, at, from: start.from, by: "pointer" });
  }

  return {
    held, announcement, arrived, welcome, positionOf, keyDown, pointerDown, pointerMove,
    blur: (plant) => {
      if (hand.current?.id === plant.id && hand.current.by === "keyboard") putBack(plant);
    },
    pointerUp: (plant) => {
      drag.current = null;
      putDown(plant);
    },
    pointerCancel: putBack,
    wasDragged: () => dragged.current,
    takeOut: (plant) => {
      announce(t("room.taken_out", { name: plant.name }));
      setArrived(plant.id);
      save(plant, null);
    },
  };
}
