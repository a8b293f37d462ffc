import { useEffect, useState } from "react";
import { api } from "../api/client";
import type { Species } from "../api/types";

/** So that not each letter is a question to the server. */
const pause = 160;

export interface SpeciesSearch {
  /** Best first. */
  found: readonly Species[];
  /** What `found` is the answer to; the text is a step ahead of it while somebody types. Null: nothing yet. */
  answered: string | null;
}

/** Searches the library as somebody types; an empty text finds all of it. Give null to search nothing. */
export function useSpeciesSearch(text: string | null): SpeciesSearch {
  const [search, setSearch] = useState<SpeciesSearch>({ found: [], answered: null });
  useEffect(() => {
    if (text === null) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      api<{ species: Species[] }>("GET", "/species", { query: { q: text, limit: 100 }, signal: controller.signal }).then(
        (answer) => setSearch({ found: answer.species, answered: text }),
        // Suggestions are a help: without them the name is written in full. What is wrong shows when the form is sent.
        () => undefined,
      );
    }, pause);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text]);
  return search;
}

/** The species that is called exactly so, whatever the case of its letters. */
export function named(text: string, found: readonly Species[]): Species | null {
  const name = text.trim().toLowerCase();
  return found.find((one) =>
    one.scientific_name.toLowerCase() === name || one.common_name?.toLowerCase() === name) ?? null;
}
