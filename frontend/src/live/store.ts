import { announceSignedOut, everything, apiPath } from "../api/client";
import type { Alert, Derived, Device, LatestTelemetry, Plant, PlantStatus } from "../api/types";
import { openEventStream, type StreamEvent } from "./eventStream";

/** `loading`: never loaded yet. `failed`: could not be loaded, is tried again. */
export type LivePhase = "loading" | "ready" | "failed";
/** `lost`: what is shown may be old. */
export type Connection = "connecting" | "live" | "lost";

export interface LiveState {
  readonly phase: LivePhase;
  readonly connection: Connection;
  /** When the connection was lost (milliseconds since 1970). */
  readonly lostAt: number | null;
  /** Rises with every loading of everything: whoever shows more than this store loads anew then. */
  readonly generation: number;
  /** Oldest first, as the API lists them. The objects are replaced when they change, so they can be compared by ===. */
  readonly plants: readonly Plant[];
  readonly devices: readonly Device[];
  /** Pending and firing ones. */
  readonly alerts: readonly Alert[];
}

interface TelemetryEvent {
  plant_id: string | null;
  device_id: string;
  latest_telemetry: LatestTelemetry | null;
  status: PlantStatus | null;
  derived: Derived | null;
  device: Pick<Device, "id" | "status" | "last_seen_at" | "battery" | "rssi"> | null;
}

type Changed<Item> = Item | { id: string; deleted: true };

/** It was pending, and went away without firing. */
interface LapsedAlert {
  id: string;
  state: "lapsed";
}

export type LiveListener = (event: StreamEvent) => void;

const empty: LiveState = {
  phase: "loading", connection: "connecting", lostAt: null, generation: 0, plants: [], devices: [], alerts: [],
};

/** Plants, devices and open alerts: loaded once, then moved by the event stream. */
export class LiveStore {
  private state = empty;
  private readonly plants = new Map<string, Plant>();
  private readonly devices = new Map<string, Device>();
  private readonly alerts = new Map<string, Alert>();
  private readonly subscribers = new Set<() => void>();
  private readonly listeners = new Set<LiveListener>();
  private close: (() => void) | undefined;
  private loading: AbortController | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private flush: ReturnType<typeof setTimeout> | undefined;
  /** Events that came while everything is loaded: they are applied to what was loaded, in their order. */
  private waiting: StreamEvent[] | null = null;
  /** Everything is to be loaded once more after the loading under way. */
  private isOutdated = false;
  private lists = { plants: false, devices: false, alerts: false };

  getState = (): LiveState => this.state;

  subscribe = (subscriber: () => void): (() => void) => {
    this.subscribers.add(subscriber);
    return () => this.subscribers.delete(subscriber);
  };

  /** Every event as it comes, for who shows more than the newest values (a chart). Returns what ends it. */
  listen(listener: LiveListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    if (this.close) return;
    this.close = openEventStream(apiPath("/events"), {
      onOpen: (resumed) => {
        this.set({ connection: "live", lostAt: null });
        // With a gap, or never loaded: all of it. The stream is open first, so nothing falls between.
        if (!resumed || this.state.phase !== "ready") void this.load();
      },
      onEvent: (event) => this.receive(event),
      onPause: () => this.set({ connection: "connecting" }),
      onLost: () => {
        if (this.state.connection !== "lost") this.set({ connection: "lost", lostAt: Date.now() });
        if (this.state.phase === "loading") this.set({ phase: "failed" });
      },
      onSignedOut: announceSignedOut,
    });
  }

  /** Forgets everything: the next to sign in may be somebody else. */
  stop(): void {
    this.close?.();
    this.close = undefined;
    this.loading?.abort();
    this.loading = undefined;
    clearTimeout(this.retry);
    clearTimeout(this.flush);
    this.flush = undefined;
    this.waiting = null;
    this.plants.clear();
    this.devices.clear();
    this.alerts.clear();
    this.state = empty;
    this.notify();
  }

  /** Takes over what an answer of the API has just shown, without waiting for the stream. */
  putPlant(plant: Plant): void {
    this.plants.set(plant.id, plant);
    this.changed("plants");
  }

  putDevice(device: Device): void {
    this.devices.set(device.id, device);
    this.changed("devices");
  }

  /** As it is now, also before those who look are told; undefined: not open any more. */
  alert(id: string): Alert | undefined {
    return this.alerts.get(id);
  }

  putAlert(alert: Alert): void {
    this.applyAlert(alert);
    this.changed("alerts");
  }

  removePlant(id: string): void {
    if (this.plants.delete(id)) this.changed("plants");
  }

  removeDevice(id: string): void {
    if (this.devices.delete(id)) this.changed("devices");
  }

  /** Loads everything anew; one at a time, so that a server which asks for it often does not keep it from ending. */
  async load(): Promise<void> {
    if (this.loading) {
      this.isOutdated = true;
      return;
    }
    clearTimeout(this.retry);
    const controller = new AbortController();
    this.loading = controller;
    this.isOutdated = false;
    this.waiting = [];
    let hasFailed = false;
    try {
      const [plants, devices, firing, pending] = await Promise.all([
        everything<"plants", Plant>("/plants", "plants", {}, controller.signal),
        everything<"devices", Device>("/devices", "devices", {}, controller.signal),
        everything<"alerts", Alert>("/alerts", "alerts", { state: "firing" }, controller.signal),
        everything<"alerts", Alert>("/alerts", "alerts", { state: "pending" }, controller.signal),
      ]);
      if (controller.signal.aborted) return;
      replace(this.plants, plants);
      replace(this.devices, devices);
      replace(this.alerts, [...firing, ...pending]);
      this.catchUp();
      this.lists = { plants: true, devices: true, alerts: true };
      this.set({ ...this.collect(), phase: "ready", generation: this.state.generation + 1 });
    } catch {
      if (controller.signal.aborted) return;
      if (this.state.phase === "loading") this.set({ phase: "failed" });
      // What is shown goes on as well as it can until the next attempt.
      if (this.state.phase === "ready") this.catchUp();
      hasFailed = true;
    }
    this.loading = undefined;
    if (this.isOutdated || hasFailed) this.retry = setTimeout(() => void this.load(), hasFailed ? 5_000 : 1_000);
  }

  private catchUp(): void {
    const missed = this.waiting ?? [];
    this.waiting = null;
    for (const event of missed) this.apply(event);
  }

  private receive(event: StreamEvent): void {
    if (event.name === "reset") {
      void this.load();
      return;
    }
    if (this.waiting) this.waiting.push(event);
    else this.apply(event);
    for (const listener of this.listeners) listener(event);
  }

  private apply(event: StreamEvent): void {
    let data: unknown;
    try {
      data = JSON.parse(event.data);
    } catch {
      // Not ours to mend; loading everything is right whatever it was to say.
      void this.load();
      return;
    }
    // An older page may meet the events of a newer server: what is not known is passed over.
    switch (event.name) {
      case "telemetry":
        this.applyTelemetry(data as TelemetryEvent);
        break;
      case "plant":
        put(this.plants, data as Changed<Plant>);
        this.changed("plants");
        break;
      case "device":
        put(this.devices, data as Changed<Device>);
        this.changed("devices");
        break;
      case "alert":
        this.applyAlert(data as Changed<Alert> | LapsedAlert);
        this.changed("alerts");
        break;
    }
  }

  private applyTelemetry(event: TelemetryEvent): void {
    const device = this.devices.get(event.device_id);
    if (device && event.device) {
      this.devices.set(device.id, { ...device, ...event.device });
      this.changed("devices");
    }
    const plant = event.plant_id === null ? undefined : this.plants.get(event.plant_id);
    if (!plant) return;
    this.plants.set(plant.id, {
      ...plant,
      latest_telemetry: event.latest_telemetry ?? plant.latest_telemetry,
      status: event.status ?? plant.status,
      derived: event.derived ?? plant.derived,
    });
    this.changed("plants");
  }

  private applyAlert(alert: Changed<Alert> | LapsedAlert): void {
    if (!("deleted" in alert) && (alert.state === "pending" || alert.state === "firing")) {
      this.alerts.set(alert.id, alert);
    } else {
      this.alerts.delete(alert.id);
    }
  }

  private changed(list: keyof LiveStore["lists"]): void {
    this.lists[list] = true;
    // Many readings in a moment are one drawing.
    this.flush ??= setTimeout(() => {
      this.flush = undefined;
      this.set(this.collect());
    }, 40);
  }

  private collect(): Partial<LiveState> {
    const state: { -readonly [Key in keyof LiveState]?: LiveState[Key] } = {};
    if (this.lists.plants) state.plants = [...this.plants.values()];
    if (this.lists.devices) state.devices = [...this.devices.values()];
    if (this.lists.alerts) state.alerts = [...this.alerts.values()];
    this.lists = { plants: false, devices: false, alerts: false };
    return state;
  }

  private set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    this.notify();
  }

  private notify(): void {
    for (const subscriber of this.subscribers) subscriber();
  }
}

function replace<Item extends { id: string }>(map: Map<string, Item>, items: Item[]): void {
  map.clear();
  for (const item of items) map.set(item.id, item);
}

function put<Item extends { id: string }>(map: Map<string, Item>, item: Changed<Item>): void {
  if ("deleted" in item) map.delete(item.id);
  else map.set(item.id, item);
}
