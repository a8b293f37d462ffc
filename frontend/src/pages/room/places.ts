import type { Position } from "../../api/types";
import { floorLine, places, type Place } from "../../drawings/RoomDrawing";

/** Where a pot is kept within the drawing: its leaves reach upwards and to both sides, its name below. */
const bounds = { left: 4, right: 96, top: 16, bottom: 97 };
/** So near to a place (in hundredths of the room), a pot is put on it. */
const reach = 3;

const between = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const tenth = (value: number): number => Math.round(value * 10) / 10;

/** Positions of other programs may lie anywhere; such a plant stands at the edge. */
export function inside({ x, y }: Position): Position {
  return { x: tenth(between(x, bounds.left, bounds.right)), y: tenth(between(y, bounds.top, bounds.bottom)) };
}

/** Where a pot stands: on a piece of furniture, on the floor, or on a bracket of its own at the wall. */
export function placeAt({ x, y }: Position): Place["id"] | "wall" {
  if (y >= floorLine) return "floor";
  return places.find((place) => place.left <= x && x <= place.right && Math.abs(place.y - y) < 0.5)?.id ?? "wall";
}

/** Sets a pot that is let go near a place upon it. */
export function settled(position: Position): Position {
  const at = inside(position);
  const near = places.find(
    (place) => place.id !== "floor" && place.left <= at.x && at.x <= place.right && Math.abs(place.y - at.y) <= reach,
  );
  if (near) return { x: at.x, y: near.y };
  // Below the skirting board is the floor, not the wall.
  return at.y > floorLine - reach ? { x: at.x, y: Math.max(at.y, floorLine + 1) } : at;
}

/** Where a plant begins that is picked up outside the drawing: in the middle of the floor. */
export const entrance: Position = { x: 50, y: 93 };

/** Width of a plant's drawing in pixels: what stands further in front is larger. */
export function plantWidth(position: Position, stageWidth: number): number {
  const base = between(stageWidth * 0.088, 42, 92);
  const front = Math.max(0, position.y - floorLine) / (bounds.bottom - floorLine);
  return Math.round(base * (1 + front * 0.4));
}

/** A name that is to be written below a pot, in pixels. */
export interface Label {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export const labelHeight = 18;

/**
 * How many lines each name is moved down so that none covers another: 0, 1 or 2. Those that find no room are left out,
 * and shown only when their plant is pointed at.
 */
export function labelLines(labels: readonly Label[], bottom: number): Map<string, number> {
  const taken: Label[] = [];
  const lines = new Map<string, number>();
  for (const label of [...labels].sort((a, b) => a.y - b.y || a.x - b.x)) {
    for (const line of [0, 1, 2]) {
      const y = label.y + line * labelHeight;
      const isFree = y + labelHeight <= bottom && taken.every(
        (other) => Math.abs(other.x - label.x) >= (other.width + label.width) / 2 || Math.abs(other.y - y) >= labelHeight,
      );
      if (isFree) {
        taken.push({ ...label, y });
        lines.set(label.id, line);
        break;
      }
    }
  }
  return lines;
}
