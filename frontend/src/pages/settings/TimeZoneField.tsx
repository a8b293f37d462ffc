import { useMemo, type ReactNode } from "react";
import { SelectField, TextField } from "../../ui/Field";

/** Not in the types of the library that the compiler knows, and not in every browser. */
const intl = Intl as typeof Intl & { supportedValuesOf?: (key: "timeZone") => string[] };

export function ownTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** What is set where nobody has said anything. */
export function isUTC(timeZone: string): boolean {
  return /^(Etc\/)?UTC$/.test(timeZone);
}

/** A choice of all time zones where the browser knows them; their name has to be typed where it does not. */
export function TimeZoneField({
  label, value, onValue, error, hint,
}: { label: string; value: string; onValue: (value: string) => void; error?: string | undefined; hint?: ReactNode }): JSX.Element {
  const zones = useMemo(() => {
    const known = intl.supportedValuesOf?.("timeZone") ?? [];
    return known.length === 0 ? [] : [...new Set(["UTC", value, ...known])].filter(Boolean).sort();
  }, [value]);
  if (zones.length === 0) {
    return <TextField label={label} value={value} onValue={onValue} error={error} hint={hint} autoComplete="off"
      spellCheck={false} placeholder="Europe/Berlin" required />;
  }
  return <SelectField label={label} value={value} onValue={onValue} error={error} hint={hint}
    options={zones.map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }))} />;
}
