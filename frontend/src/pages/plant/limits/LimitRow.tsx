import { useId } from "react";
import type { Limits } from "../../../api/types";
import { Icon } from "../../../drawings/icons";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { metricIcon } from "../../../metrics";
import { draftOf, type Draft } from "./limitsForm";

type Side = "min" | "max";

/** The limits of one metric, as typed, beside what its species likes. */
export function LimitRow({
  metric, draft, suggestion, species, errors, onDraft, onLeft, onTakeOver,
}: {
  metric: string; draft: Draft; suggestion: Limits | undefined; species: string | null;
  errors: Record<Side, string | undefined>; onDraft: (draft: Partial<Draft>) => void; onLeft: (side: Side) => void;
  onTakeOver: () => void;
}): JSX.Element {
  const t = useT();
  const format = useFormat();
  const wanted = suggestion ? draftOf(suggestion, metric, format) : null;
  const isTaken = wanted !== null && wanted.min === draft.min && wanted.max === draft.max;
  const name = format.metric(metric);
  return (
    <fieldset className="limit-row" data-metric={metric}>
      <legend><Icon name={metricIcon(metric)} />{name} <span className="soft">{format.unit(metric)}</span></legend>
      <div className="limit-fields">
        {(["min", "max"] as const).map((side) => (
          <LimitField key={side} side={side} value={draft[side]} error={errors[side]}
            onValue={(text) => onDraft({ [side]: text })} onLeft={() => onLeft(side)} />
        ))}
      </div>
      {suggestion && (
        <p className="limit-suggestion small">
          <span className="soft">{t("plant.limits.suggested", { species: species ?? "", limits: format.limits(suggestion, metric) })}</span>
          {isTaken
            ? <span className="limit-taken"><Icon name="check" />{t("plant.limits.taken")}</span>
            : (
              <Button kind="quiet" className="button-small" aria-label={t("plant.limits.take_of", { metric: name })} onClick={onTakeOver}>
                {t("plant.limits.take")}
              </Button>
            )}
        </p>
      )}
    </fieldset>
  );
}

function LimitField({
  side, value, error, onValue, onLeft,
}: { side: Side; value: string; error: string | undefined; onValue: (text: string) => void; onLeft: () => void }): JSX.Element {
  const t = useT();
  const id = useId();
  return (
    <div className={error ? "limit-field field-wrong" : "limit-field"}>
      <label htmlFor={id}>{t(`limit.${side}`)}</label>
      <input id={id} inputMode="decimal" autoComplete="off" value={value} placeholder={t("plant.limits.none")}
        aria-invalid={error ? true : undefined} aria-describedby={error ? `${id}-error` : undefined}
        onChange={(event) => onValue(event.target.value)} onBlur={onLeft} />
      {error && <p className="field-error" id={`${id}-error`}>{error}</p>}
    </div>
  );
}
