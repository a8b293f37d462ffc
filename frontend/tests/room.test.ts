import assert from "node:assert/strict";
import test from "node:test";
import { inside, labelHeight, labelLines, placeAt, settled } from "../src/pages/room/places";

test("a pot let go near a place stands on it, elsewhere where it was let go", () => {
  assert.deepEqual(settled({ x: 40, y: 49 }), { x: 40, y: 51 });
  assert.deepEqual(settled({ x: 40, y: 53.9 }), { x: 40, y: 51 });
  assert.deepEqual(settled({ x: 40, y: 55 }), { x: 40, y: 55 });
  // Beside the window sill.
  assert.deepEqual(settled({ x: 62, y: 51 }), { x: 62, y: 51 });
  assert.equal(placeAt({ x: 62, y: 51 }), "wall");
});

test("what is let go on the skirting board stands on the floor", () => {
  assert.equal(placeAt(settled({ x: 50, y: 78.5 })), "floor");
  assert.equal(placeAt(settled({ x: 50, y: 70 })), "wall");
});

test("places are told by their names", () => {
  assert.equal(placeAt({ x: 80, y: 34 }), "shelf");
  assert.equal(placeAt({ x: 40, y: 51 }), "sill");
  assert.equal(placeAt({ x: 80, y: 64 }), "sideboard");
  assert.equal(placeAt({ x: 20, y: 73 }), "table");
  assert.equal(placeAt({ x: 20, y: 93 }), "floor");
});

test("a position outside of the room is at its edge", () => {
  assert.deepEqual(inside({ x: -1_000_000, y: 1_000_000 }), { x: 4, y: 97 });
  assert.deepEqual(inside({ x: 12.345, y: 50 }), { x: 12.3, y: 50 });
});

test("names move down until they are free, and are left out when there is no line left", () => {
  const label = (id: string, x: number, y: number) => ({ id, x, y, width: 60 });
  const lines = labelLines([label("a", 100, 50), label("b", 130, 50), label("c", 140, 50), label("d", 150, 50), label("e", 300, 50)], 400);
  assert.deepEqual(Object.fromEntries(lines), { a: 0, b: 1, c: 2, e: 0 });
});

test("no name hangs below the room", () => {
  const lines = labelLines([{ id: "a", x: 50, y: 100, width: 60 }, { id: "b", x: 60, y: 100, width: 60 }], 100 + labelHeight);
  assert.deepEqual(Object.fromEntries(lines), { a: 0 });
});
