import { useSyncExternalStore } from "react";

export type Theme = "auto" | "light" | "dark";
export type TemperatureUnit = "celsius" | "fahrenheit";
export type Language = "en" | "de";

/** What somebody chose on this browser. */
export interface Preferences {
  readonly theme: Theme;
  readonly temperature: TemperatureUnit;
  readonly language: Language;
}

const choices = {
  theme: ["auto", "light", "dark"],
  temperature: ["celsius", "fahrenheit"],
  language: ["en", "de"],
} as const;

/** Where people use °F every day. */
const fahrenheitRegions = new Set(["US", "BS", "BZ", "KY", "PW", "LR", "FM", "MH"]);

function defaults(): Preferences {
  const wanted = navigator.languages.find((tag) => /^(en|de)\b/i.test(tag)) ?? "en";
  const region = navigator.language.split("-").find((part) => /^[A-Z]{2}$/.test(part));
  return {
    theme: "auto",
    temperature: region !== undefined && fahrenheitRegions.has(region) ? "fahrenheit" : "celsius",
    language: wanted.toLowerCase().startsWith("de") ? "de" : "en",
  };
}

function stored<Key extends keyof Preferences>(key: Key, otherwise: Preferences[Key]): Preferences[Key] {
  try {
    const value = window.localStorage.getItem(`plantops.${key}`);
    const known = (choices[key] as readonly string[]).find((choice) => choice === value);
    return (known as Preferences[Key] | undefined) ?? otherwise;
  } catch {
    // Storage may be forbidden.
    return otherwise;
  }
}

function load(): Preferences {
  const start = defaults();
  return {
    theme: stored("theme", start.theme),
    temperature: stored("temperature", start.temperature),
    language: stored("language", start.language),
  };
}

let current = load();
const barColours = new Map(Array.from(
  document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]'), (tag) => [tag, tag.content]));
const listeners = new Set<() => void>();

function changed(): void {
  show();
  for (const listener of listeners) listener();
}

/** The stylesheet reads the theme from the root element. */
function show(): void {
  const root = document.documentElement;
  if (current.theme === "auto") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", current.theme);
  root.lang = current.language;
  tintBrowser();
}

/** The browser's own bar has the colour of the page. By itself it follows the machine's theme, as index.html says. */
function tintBrowser(): void {
  const ground = getComputedStyle(document.documentElement).getPropertyValue("--ground").trim();
  for (const [tag, colour] of barColours) tag.content = current.theme === "auto" ? colour : ground;
}

show();
// Another tab.
window.addEventListener("storage", () => {
  current = load();
  changed();
});

export function preferences(): Preferences {
  return current;
}

export function setPreference<Key extends keyof Preferences>(key: Key, value: Preferences[Key]): void {
  current = { ...current, [key]: value };
  try {
    window.localStorage.setItem(`plantops.${key}`, value);
  } catch {
    // It holds until the page is closed.
  }
  changed();
}

export function usePreferences(): Preferences {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, preferences);
}
