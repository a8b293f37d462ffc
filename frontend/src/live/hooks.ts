import { useEffect, useRef, useSyncExternalStore } from "react";
import type { Alert, Device, Plant } from "../api/types";
import type { StreamEvent } from "./eventStream";
import { LiveStore, type LiveState } from "./store";

/** The one of this page. The app starts it when somebody has signed in. */
export const live = new LiveStore();

export function useLive(): LiveState {
  return useSyncExternalStore(live.subscribe, live.getState);
}

/** Only what is selected makes the component draw again; the selection must be an object of the state, or a plain value. */
export function useLiveSelection<Selected>(select: (state: LiveState) => Selected): Selected {
  return useSyncExternalStore(live.subscribe, () => select(live.getState()));
}

export function usePlants(): readonly Plant[] {
  return useLiveSelection((state) => state.plants);
}

export function usePlant(id: string): Plant | undefined {
  return useLiveSelection((state) => state.plants.find((plant) => plant.id === id));
}

export function useDevices(): readonly Device[] {
  return useLiveSelection((state) => state.devices);
}

export function useOpenAlerts(): readonly Alert[] {
  return useLiveSelection((state) => state.alerts);
}

/** Called with each event of the stream, in their order. */
export function useLiveEvents(listener: (event: StreamEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => live.listen((event) => latest.current(event)), []);
}
