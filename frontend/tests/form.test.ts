import assert from "node:assert/strict";
import test from "node:test";
import { readNumber } from "../src/ui/readNumber";

test("numbers are read as people write them", () => {
  for (const [text, value] of [
    ["21.5", 21.5], ["21,5", 21.5], [" 7 ", 7], ["-3", -3], ["\u22123", -3], ["+4", 4], [".5", 0.5], ["12.", 12], ["0", 0],
  ] as const) {
    assert.equal(readNumber(text), value, text);
  }
});

test("an empty text is no value", () => {
  assert.equal(readNumber(""), null);
  assert.equal(readNumber("  "), null);
});

test("what is no number is not taken for one", () => {
  for (const text of ["abc", "1 000", "1.2.3", "1,2,3", "1e3", "0x10", "-", ".", "NaN", "Infinity", "20 %"]) {
    assert.equal(readNumber(text), undefined, text);
  }
});
