import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { drawingClass } from "../src/drawings/classes";

test("every species of the library has a drawing, the same by its scientific and its common name", () => {
  const [, ...rows] = readFileSync("Sources/PlantDomain/Resources/species.csv", "utf8").trim().split("\n");
  assert.ok(rows.length > 50);
  for (const row of rows) {
    const [scientific, common] = row.split(",");
    assert.notEqual(drawingClass(scientific), "seedling", scientific);
    assert.equal(drawingClass(common), drawingClass(scientific), `${common} is ${scientific}`);
  }
});

test("a species is told by parts of a name, in any case and in German", () => {
  assert.equal(drawingClass("my MONSTERA by the door"), "monstera");
  assert.equal(drawingClass("Kentiapalme"), "palm");
  assert.equal(drawingClass("Glücksfeder"), "rods");
  assert.equal(drawingClass("Basilikum"), "herb");
  assert.equal(drawingClass("Tomate"), "vegetable");
  assert.equal(drawingClass("Usambaraveilchen"), "flowering");
});

test("what nobody knows is a seedling, unless another name tells", () => {
  for (const nothing of [null, undefined, "", "  ", "Xyzzyx"]) assert.equal(drawingClass(nothing), "seedling");
  assert.equal(drawingClass("Xyzzyx", "Aloe"), "rosette");
});
