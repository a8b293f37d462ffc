/**
 * Reads a number as people write it: 21.5 and 21,5. What could be thousands as well (10,000 and 10.000) is no number: in
 * one language it is a thousand times what it is in the other.
 * @returns null for an empty text, undefined for what is no number.
 */
export function readNumber(text: string): number | null | undefined {
  const trimmed = text.trim().replace("\u2212", "-");
  if (trimmed === "") return null;
  if (!/^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(trimmed)) return undefined;
  if (/^[+-]?[1-9]\d{0,2}[.,]\d{3}$/.test(trimmed)) return undefined;
  return Number(trimmed.replace(",", "."));
}
