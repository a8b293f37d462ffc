import { useCallback, useEffect, useState } from "react";
import { useLiveSelection } from "../../live/hooks";

/** Of this browser's tab: a new visit begins with the guide again, as long as it is wanted. */
const key = "plantops.guide";

type Choice = "open" | "left" | null;

function stored(): Choice {
  try {
    const value = window.sessionStorage.getItem(key);
    return value === "open" || value === "left" ? value : null;
  } catch {
    // Storage may be forbidden.
    return null;
  }
}

function store(choice: Choice): void {
  try {
    if (choice === null) window.sessionStorage.removeItem(key);
    else window.sessionStorage.setItem(key, choice);
  } catch {
    // It holds until the page is closed.
  }
}

export interface Guide {
  /** No plant has ever had a reading. */
  isWanted: boolean;
  isOpen: boolean;
  open: () => void;
  leave: () => void;
}

/** The guide through the first steps: there until a plant has a reading; once opened it stays to its end, or until left. */
export function useGuide(): Guide {
  const isReady = useLiveSelection((state) => state.phase === "ready");
  const isWanted = useLiveSelection((state) => !state.plants.some((plant) => plant.latest_telemetry !== null));
  const [choice, setChoice] = useState<Choice>(stored);
  const choose = useCallback((next: Choice) => {
    store(next);
    setChoice(next);
  }, []);
  const isOpen = isReady && (choice === "open" || (isWanted && choice !== "left"));
  // Kept while somebody is at another page of the guide's way, where the reading may arrive.
  useEffect(() => {
    if (isOpen && choice === null) choose("open");
  }, [isOpen, choice, choose]);
  return {
    isWanted, isOpen, open: useCallback(() => choose("open"), [choose]), leave: useCallback(() => choose("left"), [choose]),
  };
}
