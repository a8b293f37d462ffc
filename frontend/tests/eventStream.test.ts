import assert from "node:assert/strict";
import test from "node:test";
import { EventParser, type StreamEvent } from "../src/live/eventStream";

function parse(...chunks: string[]): { events: StreamEvent[]; ids: string[] } {
  const events: StreamEvent[] = [];
  const ids: string[] = [];
  const parser = new EventParser((event, id) => {
    if (event) events.push(event);
    if (id !== null) ids.push(id);
  });
  for (const chunk of chunks) parser.push(chunk);
  return { events, ids };
}

const stream = 'retry: 2000\n: live events\nid: a-0\n\n: heartbeat\n\nid: a-1\nevent: alert\ndata: {"id":\ndata: 1}\n\n';

test("an event is put together of its lines", () => {
  assert.deepEqual(parse(stream), { events: [{ name: "alert", data: '{"id":\n1}' }], ids: ["a-0", "a-1"] });
});

test("it does not matter where the network cuts", () => {
  for (let cut = 0; cut <= stream.length; cut++) {
    assert.deepEqual(parse(stream.slice(0, cut), stream.slice(cut)), parse(stream), `cut at ${cut}`);
  }
});

test("an event that is not ended is not told", () => {
  assert.deepEqual(parse("event: alert\ndata: {}\n").events, []);
});

test("an id without data is remembered and nothing else", () => {
  assert.deepEqual(parse("id: a-7\n\n"), { events: [], ids: ["a-7"] });
});

test("lines may end as on Windows, and a field may have no space after its colon", () => {
  assert.deepEqual(parse("event:plant\r\ndata:{}\r\n\r\n").events, [{ name: "plant", data: "{}" }]);
});
