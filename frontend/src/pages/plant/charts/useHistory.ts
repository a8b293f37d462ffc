import { useEffect, useRef, useState } from "react";
import { api } from "../../../api/client";
import type { Alert, History } from "../../../api/types";
import { useResource, type Resource } from "../../../api/useResource";
import { isCovered, questionOf, type Question, type View } from "./span";

export interface Loaded {
  question: Question;
  history: History;
  /** Of whole days: there is no other light of a day. */
  daily: History | null;
}

const daily = "dli_mol_m2_d";

/** What was measured in the view, loaded anew when the view asks for more, or for finer steps. */
export function useHistory(plant: string, view: View, metrics: readonly string[]): Resource<Loaded> & { shown: Loaded | undefined } {
  const [question, setQuestion] = useState(() => questionOf(view));
  useEffect(() => {
    if (isCovered(view, question)) return;
    // Whoever drags is not asked for at every step.
    const timer = setTimeout(() => setQuestion(questionOf(view)), 150);
    return () => clearTimeout(timer);
  }, [view.from, view.to, view.isLive, question]);

  const names = [...metrics].sort();
  const key = names.length === 0 ? null : `${plant} ${question.from} ${question.to} ${question.resolution} ${names.join()}`;
  const resource = useResource<Loaded>(key, async (signal) => {
    const span = { from: new Date(question.from).toISOString(), to: new Date((question.isLive ? Date.now() : question.to) + 1_000).toISOString() };
    const path = `/plants/${plant}/history`;
    const others = names.filter((name) => name !== daily);
    const [history, light] = await Promise.all([
      others.length === 0 ? null : api<History>("GET", path, {
        query: { ...span, metrics: others.join(), resolution: question.resolution }, signal,
      }),
      !names.includes(daily) ? null : api<History>("GET", path, {
        query: { ...span, metrics: daily, resolution: "1d" }, signal,
      }),
    ]);
    return { question, history: history ?? (light as History), daily: light };
  });
  // What was shown stays until something else has come.
  const last = useRef<Loaded>();
  if (resource.value) last.current = resource.value;
  return { ...resource, shown: resource.value ?? last.current };
}

export function seriesSource(loaded: Loaded | undefined, metric: string): History | undefined {
  return metric === daily ? (loaded?.daily ?? undefined) : loaded?.history;
}

/** Alerts that were open at some time of the view. */
export function useAlertsSince(plant: string, from: number, changes: number): readonly Alert[] {
  // By whole days: the same answer serves small moves.
  const day = Math.floor(from / 86_400_000) - 1;
  const resource = useResource<Alert[]>(`alerts ${plant} ${day} ${changes}`, async (signal) => {
    const answer = await api<{ alerts: Alert[] }>("GET", "/alerts", {
      query: { plant_id: plant, from: new Date(day * 86_400_000).toISOString(), limit: 500 }, signal,
    });
    return answer.alerts;
  });
  const last = useRef<Alert[]>([]);
  if (resource.value) last.current = resource.value;
  return last.current;
}

