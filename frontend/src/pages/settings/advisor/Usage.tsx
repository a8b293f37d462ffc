import type { LLMSettings } from "../../../api/types";
import { useFormat } from "../../../format";
import { useLanguage, useT } from "../../../i18n";
import { Meter } from "../Meter";

/** What the model has cost this month, in tokens. */
export function Usage({ settings }: { settings: LLMSettings }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const language = useLanguage();
  const { usage, monthly_token_budget: budget } = settings;
  const used = usage.input_tokens + usage.output_tokens;
  const month = new Intl.DateTimeFormat(language, { month: "long", year: "numeric", timeZone: "UTC" })
    .format(new Date(`${usage.month}-01T00:00:00Z`));
  return (
    <>
      <p>
        {t("settings.advisor.usage", { month })}{" "}
        {budget === null ? t("settings.advisor.tokens", { count: used })
          : t("settings.advisor.tokens_of", { used, budget })}
        {", "}
        {t("settings.advisor.requests", { count: usage.requests })}
      </p>
      {budget !== null && <Meter share={used / budget} tone={used >= budget ? "critical" : used >= 0.8 * budget ? "warning" : "ok"} />}
      <p className="small soft">
        {budget !== null && used >= budget ? `${t("settings.advisor.used_up")} ` : ""}
        {t("settings.advisor.resets", { date: format.date(usage.resets_at) })}
      </p>
    </>
  );
}
