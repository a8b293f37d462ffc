import { api } from "../../api/client";
import type { Forecast, Plant } from "../../api/types";
import { useResource } from "../../api/useResource";
import { useFormat, useNow } from "../../format";
import { useT, type MessageKey } from "../../i18n";
import { Loaded } from "../../ui/Notice";
import { Card } from "../../ui/Page";

/** When the soil will be dry. It changes slowly: asked for anew with the readings, at most every ten minutes. */
export function ForecastCard({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const measured = plant.latest_telemetry?.measured_at?.["soil_moisture"];
  const period = measured === undefined ? "none" : Math.floor(Date.parse(measured) / 600_000);
  const limit = plant.thresholds["soil_moisture"]?.min ?? "none";
  const forecast = useResource<Forecast>(
    `forecast ${plant.id} ${period} ${limit}`, (signal) => api("GET", `/plants/${plant.id}/forecast`, { signal }),
  );
  return (
    <Card title={t("plant.forecast")} className="forecast-card">
      <Loaded resource={forecast}>{(value) => <Words forecast={value} />}</Loaded>
    </Card>
  );
}

function Words({ forecast }: { forecast: Forecast }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow(60);
  if (forecast.reaches_min_at === null) {
    return (
      <>
        <p>{forecast.reason ? t(`plant.forecast.${forecast.reason.code}` as MessageKey) : t("plant.forecast.no_data")}</p>
        {forecast.reason && <p className="soft small" lang="en">{forecast.reason.text}</p>}
      </>
    );
  }
  return (
    <>
      <p className="forecast-when">{t("plant.forecast.dry", { time: format.relative(forecast.reaches_min_at, now) })}</p>
      <p className="soft">
        {t("plant.forecast.reaches", {
          minimum: format.value(forecast.minimum, forecast.metric), time: format.dateTime(forecast.reaches_min_at),
        })}
        {forecast.low !== null && forecast.high !== null && ` ${t("plant.forecast.between", {
          low: format.dateTime(forecast.low), high: format.dateTime(forecast.high),
        })}`}
      </p>
      {forecast.basis && <p className="soft small" lang="en">{forecast.basis.text}</p>}
    </>
  );
}
