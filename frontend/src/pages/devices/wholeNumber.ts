import type { Translate } from "../../i18n";
import { readNumber } from "../../ui/form";

/** A whole number as typed. `error` says what is wrong with it; an empty text is null. */
export function wholeNumber(
  text: string, minimum: number, maximum: number, t: Translate,
): { value: number | null; error?: string } {
  const value = readNumber(text);
  if (value === null) return { value: null };
  if (value === undefined || !Number.isInteger(value)) return { value: null, error: t("form.whole_number") };
  if (value < minimum || value > maximum) return { value: null, error: t("form.range", { min: minimum, max: maximum }) };
  return { value };
}

/** Without those that are undefined. */
export function found(errors: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(errors).filter((one): one is [string, string] => one[1] !== undefined));
}
