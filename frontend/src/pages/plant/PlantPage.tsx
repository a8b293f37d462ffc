import { useRef } from "react";
import { api } from "../../api/client";
import type { PlantEvent } from "../../api/types";
import { useResource } from "../../api/useResource";
import { Link } from "../../app/Link";
import { useT } from "../../i18n";
import { useLiveSelection, usePlant } from "../../live/hooks";
import { Empty, Notice, Waiting } from "../../ui/Notice";
import { PageHeader } from "../../ui/Page";
import { CarePlanCard } from "./care/CarePlanCard";
import { ChartsCard } from "./charts/ChartsCard";
import { DevicesCard } from "./DevicesCard";
import { EventsCard } from "./EventsCard";
import { ForecastCard } from "./ForecastCard";
import { HealthCheckCard } from "./HealthCheckCard";
import { LimitsCard } from "./limits/LimitsCard";
import { LiveValues } from "./LiveValues";
import { OpenAlerts } from "./OpenAlerts";
import { PlantHead } from "./PlantHead";

/** As many as are drawn and listed; the API has the others. */
const mostEvents = 500;

export default function PlantPage({ id }: { id: string }): JSX.Element {
  const plant = usePlant(id);
  const phase = useLiveSelection((state) => state.phase);
  const wasThere = useRef(false);
  wasThere.current ||= plant !== undefined;
  const events = useResource<{ events: PlantEvent[]; total: number }>(
    plant ? `events ${id}` : null,
    (signal) => api("GET", `/plants/${id}/events`, { query: { limit: mostEvents }, signal }),
  );

  if (!plant) {
    if (phase === "loading") return <Waiting />;
    if (phase === "failed") return <Unreachable />;
    return <NoSuchPlant isDeleted={wasThere.current} />;
  }
  return (
    <div className="plant-page">
      <PlantHead plant={plant} />
      <OpenAlerts plant={plant} />
      <LiveValues plant={plant} />
      <ChartsCard plant={plant} events={events.value?.events ?? []} />
      <div className="plant-columns">
        <LimitsCard plant={plant} />
        <div className="plant-column">
          <ForecastCard plant={plant} />
          <EventsCard plant={plant} events={events} />
          <HealthCheckCard plant={plant} />
          <DevicesCard plant={plant} />
        </div>
      </div>
      <CarePlanCard plant={plant} />
    </div>
  );
}

function NoSuchPlant({ isDeleted }: { isDeleted: boolean }): JSX.Element {
  const t = useT();
  return (
    <>
      <PageHeader title={t(isDeleted ? "plant.deleted" : "plant.none")} />
      <Empty title={t(isDeleted ? "plant.deleted_text" : "plant.none_text")}>
        <Link className="button button-primary" to="/">{t("app.to_overview")}</Link>
      </Empty>
    </>
  );
}

function Unreachable(): JSX.Element {
  const t = useT();
  return (
    <>
      <PageHeader title={t("plant.page")} />
      <Notice tone="warning" isUrgent>{t("live.unreachable")}</Notice>
    </>
  );
}
