import { memo } from "react";
import { Link } from "../../app/Link";
import type { Plant } from "../../api/types";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { Icon } from "../../drawings/icons";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { Ago } from "../../ui/Ago";
import { Badge, StatusBadge } from "../../ui/Badges";
import { Meter, Meters } from "./Meters";
import { Sparkline } from "./Sparkline";
import { reason } from "./judge";
import type { Trail } from "./useTrails";

interface Props {
  plant: Plant;
  trail: Trail;
  /** Open ones of this plant. */
  alertCount: number;
}

/** A plant at a glance. Drawn again only when something of it has changed. */
export const PlantCard = memo(function PlantCard({ plant, trail, alertCount }: Props): JSX.Element {
  const t = useT();
  const format = useFormat();
  return (
    <article className={`plant-card plant-${plant.status}`} data-plant={plant.id}>
      <div className="plant-card-head">
        <div className="plant-picture"><PlantDrawing species={plant.species} status={plant.status} seed={plant.id} /></div>
        <div className="plant-words">
          <h2><Link className="plant-link" to={`/plants/${plant.id}`}>{plant.name}</Link></h2>
          <Names plant={plant} />
          <p className="plant-badges">
            <StatusBadge status={plant.status} />
            <Signs plant={plant} alertCount={alertCount} />
          </p>
        </div>
      </div>
      <p className="plant-reason">{reason(plant, t, format)}</p>
      <Meters plant={plant} count={4} />
      <Sparkline trail={trail} limits={plant.thresholds["soil_moisture"]} />
      <footer className="plant-foot">
        <span aria-hidden="true">{t("overview.trail_title")}</span>
        <LastReading plant={plant} />
      </footer>
    </article>
  );
});

/** The same in one line, for those who have many. */
export const PlantRow = memo(function PlantRow({ plant, trail, alertCount }: Props): JSX.Element {
  const t = useT();
  const format = useFormat();
  return (
    <article className={`plant-row plant-${plant.status}`} data-plant={plant.id}>
      <div className="plant-picture"><PlantDrawing species={plant.species} status={plant.status} seed={plant.id} /></div>
      <div className="plant-words">
        <h2><Link className="plant-link" to={`/plants/${plant.id}`}>{plant.name}</Link></h2>
        <Names plant={plant} />
      </div>
      <div className="plant-state">
        <p className="plant-badges">
          <StatusBadge status={plant.status} />
          <Signs plant={plant} alertCount={alertCount} />
        </p>
        <p className="plant-reason">{reason(plant, t, format)}</p>
      </div>
      <ul className="meters"><Meter plant={plant} metric="soil_moisture" /></ul>
      <Sparkline trail={trail} limits={plant.thresholds["soil_moisture"]} />
      <LastReading plant={plant} />
    </article>
  );
});

function Names({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  return (
    <p className="plant-names">
      {plant.species ? <em>{plant.species}</em> : <span>{t("overview.no_species")}</span>}
      {plant.room && <span className="plant-room"><Icon name="room" />{plant.room}</span>}
    </p>
  );
}

function Signs({ plant, alertCount }: { plant: Plant; alertCount: number }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const isSnoozed = plant.snoozed_until !== null && new Date(plant.snoozed_until).getTime() > Date.now();
  return (
    <>
      {alertCount > 0 && (
        <Link className="plant-alerts" to={`/alerts?plant=${plant.id}`}>
          <Badge tone="critical" icon="bell">{t("overview.alerts", { count: alertCount })}</Badge>
        </Link>
      )}
      {isSnoozed && plant.snoozed_until && (
        <span title={t("overview.snoozed_until", { time: format.dateTime(plant.snoozed_until) })}>
          <Badge tone="neutral" icon="snooze">{t("overview.snoozed")}</Badge>
        </span>
      )}
    </>
  );
}

function LastReading({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  return (
    <p className="plant-last">
      <Icon name="clock" />
      {plant.latest_telemetry
        ? <><span className="visually-hidden">{t("overview.last_reading")} </span><Ago time={plant.latest_telemetry.timestamp} /></>
        : t("overview.never_read")}
    </p>
  );
}
