// Server-Sent Events by fetch instead of EventSource: so the heartbeat comments are seen (silence is a lost connection,
// not a quiet garden), Last-Event-ID survives a reconnection that was begun here, and a 401 is told from a dead server.

export interface StreamEvent {
  name: string;
  data: string;
}

export interface StreamHandlers {
  /** The stream is open; what comes next is without a gap. `resumed`: also without a gap since the last one. */
  onOpen(resumed: boolean): void;
  onEvent(event: StreamEvent): void;
  /** It was closed here, because nobody looks, or the server is being replaced; it will be opened again. */
  onPause(): void;
  onLost(): void;
  onSignedOut(): void;
}

/** The server sends a comment every 15 s. */
const silence = 40_000;
/**
 * How long a page nobody looks at keeps its stream. A browser opens six connections to a server (HTTP/1.1): a few tabs
 * in the background would leave none for the one in front.
 */
const patience = 30_000;
const waits = [1_000, 2_000, 4_000, 8_000, 15_000];
/**
 * A server that is about to end says so (`closing`), and its successor is there within seconds. Only when it is not, is
 * that a loss.
 */
const replacement = { patience: 10_000, wait: 700 };

/** Keeps a stream open until the returned function is called. */
export function openEventStream(url: string, handlers: StreamHandlers): () => void {
  let lastEventId: string | null = null;
  let failures = 0;
  /** Until when a successor of the server is waited for. */
  let expectedUntil = 0;
  let closed = false;
  let abort = new AbortController();
  let isConnecting = false;
  let isPaused = false;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;

  async function connect(): Promise<void> {
    isConnecting = true;
    isPaused = false;
    abort = new AbortController();
    const controller = abort;
    let watchdog = setTimeout(() => controller.abort(), silence);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      const resuming = lastEventId;
      if (resuming !== null) headers["Last-Event-ID"] = resuming;
      const response = await fetch(url, {
        headers, credentials: "same-origin", cache: "no-store", signal: controller.signal,
      });
      if (response.status === 401) {
        closed = true;
        handlers.onSignedOut();
        return;
      }
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
      expectedUntil = 0;
      handlers.onOpen(resuming !== null);
      const parser = new EventParser((event, id) => {
        if (id !== null) lastEventId = id;
        if (event?.name === "closing") expectedUntil = Date.now() + replacement.patience;
        else if (event) handlers.onEvent(event);
      });
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        failures = 0;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => controller.abort(), silence);
        parser.push(decoder.decode(value, { stream: true }));
      }
    } catch {
      // Whatever it was, the answer is to try again.
    } finally {
      clearTimeout(watchdog);
      isConnecting = false;
    }
    if (closed) return;
    if (isPaused) {
      handlers.onPause();
      // Somebody may have come back meanwhile.
      look();
      return;
    }
    const isExpected = Date.now() < expectedUntil;
    if (isExpected) handlers.onPause();
    else handlers.onLost();
    // Whoever comes back to the page connects it.
    if (document.visibilityState !== "visible") return;
    const wait = isExpected ? replacement.wait : waits[Math.min(failures, waits.length - 1)] ?? 15_000;
    if (!isExpected) failures += 1;
    // Spread out, so that a restarted server is not met by everybody at once.
    retry = setTimeout(() => {
      retry = undefined;
      void connect();
    }, wait * (0.75 + Math.random() / 2));
  }

  /** Whoever looks again does not wait. */
  function look(): void {
    clearTimeout(pause);
    if (closed) return;
    if (document.visibilityState === "visible") {
      if (isConnecting) return;
      clearTimeout(retry);
      retry = undefined;
      void connect();
    } else if (isConnecting) {
      pause = setTimeout(() => {
        isPaused = true;
        abort.abort();
      }, patience);
    } else {
      clearTimeout(retry);
      retry = undefined;
    }
  }

  /** Another network: what was open over the old one is dead, and would be noticed only after a while. */
  function change(): void {
    if (isConnecting) abort.abort();
    else look();
  }

  window.addEventListener("online", change);
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    closed = true;
    clearTimeout(retry);
    clearTimeout(pause);
    window.removeEventListener("online", change);
    document.removeEventListener("visibilitychange", look);
    abort.abort();
  };
}

/** WHATWG HTML 9.2.6, but for a lone carriage return as the end of a line, which the server does not send. */
export class EventParser {
  private rest = "";
  private name = "";
  private data: string[] = [];
  private id: string | null = null;
  private readonly dispatch: (event: StreamEvent | null, id: string | null) => void;

  constructor(dispatch: (event: StreamEvent | null, id: string | null) => void) {
    this.dispatch = dispatch;
  }

  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.take(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  private take(line: string): void {
    if (line === "") {
      const event = this.data.length > 0 ? { name: this.name || "message", data: this.data.join("\n") } : null;
      if (event || this.id !== null) this.dispatch(event, this.id);
      this.name = "";
      this.data = [];
      this.id = null;
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") this.name = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id") this.id = value;
  }
}
