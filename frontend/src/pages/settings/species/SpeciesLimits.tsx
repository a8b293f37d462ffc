import type { Thresholds } from "../../../api/types";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { plantMetrics, type Metric } from "../../../metrics";
import type { FieldErrors } from "../../../ui/form";
import { TextField } from "../../../ui/Field";
import { limitTexts, type LimitTexts } from "./limits";

/** Limits of one's own, metric by metric. What follows from light and water is shown where nothing is typed. */
export function SpeciesLimits({
  texts, onTexts, suggested, errors,
}: { texts: LimitTexts; onTexts: (texts: LimitTexts) => void; suggested: Thresholds; errors: FieldErrors }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const following = limitTexts(suggested, format);
  const field = (metric: Metric, end: "min" | "max", label: string): JSX.Element => {
    const own = texts[metric] ?? { min: "", max: "" };
    const isFollowing = own.min === "" && own.max === "";
    return (
      <TextField label={label} aria-label={`${format.metric(metric)}: ${label}`} inputMode="decimal" autoComplete="off"
        placeholder={isFollowing ? following[metric]?.[end] : ""} value={own[end]}
        error={errors[`thresholds/${metric}/${end}`]}
        onValue={(text) => onTexts({ ...texts, [metric]: { ...own, [end]: text } })} />
    );
  };
  return (
    <fieldset className="settings-limits">
      <legend>{t("settings.species.limits")}</legend>
      <p className="field-hint">{t("settings.species.limits_hint")}</p>
      <div className="settings-limits-rows">
        {plantMetrics.map((metric) => (
          <div key={metric}>
            <p>{format.metric(metric)} <span className="soft small">{format.unit(metric)}</span></p>
            {field(metric, "min", t("limit.min"))}
            {field(metric, "max", t("limit.max"))}
          </div>
        ))}
      </div>
    </fieldset>
  );
}
