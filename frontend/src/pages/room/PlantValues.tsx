import type { Plant } from "../../api/types";
import { Icon } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT } from "../../i18n";
import { fault, metrics, plantMetrics, valueOf } from "../../metrics";
import { StatusBadge } from "../../ui/Badges";

/** How a plant is: its newest values against their limits. */
export function PlantValues({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const latest = plant.latest_telemetry;
  const shown = plantMetrics.filter((metric) => valueOf(latest, metric) !== null || plant.thresholds[metric]);
  return (
    <>
      <div className="room-values-head">
        <strong>{plant.name}</strong>
        <StatusBadge status={plant.status} />
      </div>
      {plant.species && <p className="small soft">{plant.species}</p>}
      {shown.length > 0 && (
        <dl className="room-values">
          {shown.map((metric) => {
            const value = valueOf(latest, metric);
            const side = fault(plant, metric);
            return (
              <div key={metric} className={side ? "room-value room-value-beyond" : "room-value"}>
                <dt><Icon name={metrics[metric].icon} />{format.metric(metric)}</dt>
                <dd>
                  <span className="figure">{format.value(value, metric)}</span>
                  {side && <span className="room-beyond"><Icon name="warning" />{t(side === "min" ? "limit.too_low" : "limit.too_high")}</span>}
                  {plant.thresholds[metric] && <span className="small soft">{format.limits(plant.thresholds[metric], metric)}</span>}
                </dd>
              </div>
            );
          })}
        </dl>
      )}
      <p className="small soft">
        {latest ? t("room.last_reading", { time: format.relative(latest.timestamp, now) }) : t("room.no_reading")}
      </p>
    </>
  );
}
