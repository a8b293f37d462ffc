import { useCallback, useSyncExternalStore } from "react";
import { preferences, usePreferences, type Language } from "../app/preferences";
import type { Catalogue, MessageKey } from "./en";

export type { MessageKey } from "./en";

/** A text, or one for each plural category of the language (Unicode CLDR): `count` decides. */
export type Message = string | ({ readonly other: string } & Partial<Record<Intl.LDMLPluralRule, string>>);

export type Parameters = Record<string, string | number>;

/** Looks a text up and puts parameters in the place of {name}. */
export type Translate = (key: MessageKey, parameters?: Parameters) => string;

// Only the language in use is loaded.
const loaders: Record<Language, () => Promise<Catalogue>> = {
  en: async () => (await import("./en")).catalogue,
  de: async () => (await import("./de")).catalogue,
};

const catalogues = new Map<Language, Catalogue>();
const listeners = new Set<() => void>();
let shown: Language = preferences().language;

/** Before the first drawing, and when somebody changes the language. */
export async function loadLanguage(language: Language): Promise<void> {
  if (!catalogues.has(language)) catalogues.set(language, await loaders[language]());
  // Somebody may have chosen yet another one while it was loaded.
  if (language !== preferences().language) return;
  shown = language;
  for (const listener of listeners) listener();
}

function translateIn(language: Language, key: MessageKey, parameters: Parameters = {}): string {
  const message: Message | undefined = catalogues.get(language)?.[key];
  if (message === undefined) return key;
  let text: string;
  if (typeof message === "string") {
    text = message;
  } else {
    const category = new Intl.PluralRules(language).select(Number(parameters["count"] ?? 0));
    text = message[category] ?? message.other;
  }
  return text.replace(/\{([a-z_]+)\}/gi, (whole, name: string) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : value;
  });
}

/** The language whose texts are loaded: for a moment after a change that is still the old one. */
export function useLanguage(): Language {
  usePreferences();
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => shown);
}

export function useT(): Translate {
  const language = useLanguage();
  return useCallback((key, parameters) => translateIn(language, key, parameters), [language]);
}
