import type { AuditEntry } from "../../../api/types";
import { useFormat, type Format } from "../../../format";
import { useT, type Translate } from "../../../i18n";
import { isMetric } from "../../../metrics";
import { useWords } from "../words";

type Words = ReturnType<typeof useWords>;

const isId = (name: string, value: unknown): boolean =>
  typeof value === "string" && /^[0-9a-f]{8}-[0-9a-f-]{27}( |$)/.test(value) || name.endsWith("_id");

/** What exactly was changed, as pairs of words; values that are JSON are taken apart. Ids are for who looks into the log. */
export function AuditDetails({ entry }: { entry: AuditEntry }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const words = useWords();
  const details = Object.entries(entry.details);
  const apart = (some: typeof details): [string, string][] =>
    some.flatMap(([name, value]) => takenApart(name, value, words, format, t));
  const ids = apart(details.filter(([name, value]) => isId(name, value)));
  if (entry.subject?.id) ids.unshift([t("settings.audit.id"), entry.subject.id]);
  if (entry.correlation_id !== null) ids.push([t("settings.audit.reference"), entry.correlation_id]);
  return (
    <>
      <Pairs pairs={apart(details.filter(([name, value]) => !isId(name, value)))} />
      {ids.length > 0 && (
        <details>
          <summary>{t("settings.audit.ids")}</summary>
          <Pairs pairs={ids} />
        </details>
      )}
    </>
  );
}

function Pairs({ pairs }: { pairs: [string, string][] }): JSX.Element | null {
  if (pairs.length === 0) return null;
  return (
    <dl className="facts small settings-details">
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function takenApart(name: string, value: unknown, words: Words, format: Format, t: Translate): [string, string][] {
  const label = words(`settings.audit.detail.${name}`, name.replaceAll("_", " "));
  if (typeof value !== "string") return [[label, inWords(value, words, t)]];
  if (value === "") return [[label, t("settings.audit.removed")]];
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return [[label, format.dateTime(value)]];
  const parsed = object(value);
  if (parsed === null) return [[label, inWords(value, words, t)]];
  return Object.entries(parsed).map(([part, inner]): [string, string] => {
    if (name === "thresholds") {
      const limits = inner as { min?: number | null; max?: number | null };
      return [isMetric(part) ? format.metric(part) : part, format.limits(limits, part)];
    }
    return [words(`settings.audit.detail.${part}`, part.replaceAll("_", " ")), inWords(inner, words, t)];
  });
}

function inWords(value: unknown, words: Words, t: Translate): string {
  if (value === null || value === undefined || value === "") return t("settings.audit.removed");
  if (value === true || value === "true") return t("action.yes");
  if (value === false || value === "false") return t("action.no");
  if (typeof value === "object") {
    return Object.entries(value).map(([name, inner]) => `${words(`settings.audit.detail.${name}`, name)} ${String(inner)}`).join(", ");
  }
  const text = String(value);
  return /^(viewer|member|admin)$/.test(text) ? words(`role.${text}`, text) : text;
}

function object(text: string): Record<string, unknown> | null {
  if (!text.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : null;
  } catch {
    return null;
  }
}
