import { useState } from "react";
import { setQuery, useQuery } from "../../app/router";
import { useSession } from "../../app/session";
import { PlantDrawing } from "../../drawings/PlantDrawing";
import { useT } from "../../i18n";
import { useDevices, useLiveSelection, useOpenAlerts, usePlants } from "../../live/hooks";
import { Button } from "../../ui/Button";
import { Empty, Notice, Waiting } from "../../ui/Notice";
import { PageHeader } from "../../ui/Page";
import { toast } from "../../ui/Toasts";
import { problemText } from "../../ui/form";
import { acknowledge, mayAcknowledge } from "./acknowledge";
import { AlertDialog } from "./AlertDialog";
import { byUrgency, isFiltered, passes, readFilter, type AlertFilter } from "./alertFilter";
import { AlertHistory } from "./AlertHistory";
import { OpenAlert, PendingAlert } from "./OpenAlert";

/** Open ones shown at once: thousands, drawn anew with every event, would bring the page to a standstill. */
const step = 100;

export default function AlertsPage(): JSX.Element {
  const t = useT();
  const { me, may } = useSession();
  const query = useQuery();
  const filter = readFilter(query);
  const phase = useLiveSelection((state) => state.phase);
  const open = useOpenAlerts().filter((alert) => passes(alert, filter));
  const firing = open.filter((alert) => alert.state === "firing").sort(byUrgency);
  const pending = open.filter((alert) => alert.state === "pending").sort(byUrgency);
  const unseen = firing.filter(mayAcknowledge);
  const [isBusy, setBusy] = useState(false);
  const [count, setCount] = useState(step);
  const openId = query.get("alert");

  async function acknowledgeAll(): Promise<void> {
    setBusy(true);
    let problem: unknown;
    let failures = 0;
    // One after the other: a storm of alerts is no reason for a storm of requests.
    for (const alert of unseen) {
      try {
        await acknowledge(alert, me.email);
      } catch (error) {
        problem = error;
        failures += 1;
      }
    }
    setBusy(false);
    if (failures > 0) toast(t("alerts.some_not", { count: failures, why: problemText(problem, t) }), "critical");
    else toast(t("alerts.all_acknowledged"));
  }
  return (
    <>
      <PageHeader title={t("nav.alerts")} lead={phase === "ready" && firing.length > 0
        && t("alerts.lead", { count: firing.length, unseen: unseen.length })}>
        {may("member") && unseen.length > 1 && (
          <Button icon="check" busy={isBusy} onClick={() => void acknowledgeAll()}>{t("alerts.acknowledge_all")}</Button>
        )}
      </PageHeader>
      {isFiltered(filter) && <Filtered filter={filter} />}
      {phase !== "ready" && open.length === 0 ? <Waiting /> : (
        <section aria-labelledby="open-alerts">
          <h2 id="open-alerts" className="visually-hidden">{t("alerts.open")}</h2>
          {firing.length > 0
            ? <ul className="open-alerts">{firing.slice(0, count).map((alert) => <OpenAlert key={alert.id} alert={alert} />)}</ul>
            : <Well isFiltered={isFiltered(filter)} />}
          {firing.length > count && (
            <p className="alert-more">
              <span className="soft small" role="status">{t("alerts.shown_of", { shown: count, total: firing.length })}</span>
              <Button onClick={() => setCount(count + step)}>{t("action.show_more")}</Button>
            </p>
          )}
        </section>
      )}
      {pending.length > 0 && (
        <section className="pending-alerts" aria-labelledby="pending-alerts">
          <h2 id="pending-alerts">{t("alerts.pending")}</h2>
          <p className="soft small">{t("alerts.pending_text")}</p>
          <ul>{pending.map((alert) => <PendingAlert key={alert.id} alert={alert} />)}</ul>
        </section>
      )}
      <AlertHistory filter={filter} />
      {openId !== null && <AlertDialog key={openId} id={openId} onClose={() => setQuery({ alert: null })} />}
    </>
  );
}

/** Nothing to do: that is good news, and looks like it. */
function Well({ isFiltered: isPart }: { isFiltered: boolean }): JSX.Element {
  const t = useT();
  const plants = usePlants();
  return (
    <div className="all-well">
      <Empty title={t(isPart ? "alerts.well_here" : "alerts.well")}
        drawing={(
          <div className="all-well-plants">
            {(plants.length > 0 ? plants.slice(0, 3) : [null]).map((plant) => (
              <PlantDrawing key={plant?.id ?? "one"} species={plant?.species ?? "Monstera deliciosa"} status="ok" lively
                {...(plant ? { seed: plant.id } : {})} size={88} />
            ))}
          </div>
        )}>
        {!isPart && <p>{t("alerts.well_text")}</p>}
      </Empty>
    </div>
  );
}

/** That not everything is shown, and why. */
function Filtered({ filter }: { filter: AlertFilter }): JSX.Element {
  const t = useT();
  const plant = usePlants().find((one) => one.id === filter.plant)?.name;
  const device = useDevices().find((one) => one.id === filter.device)?.name;
  const what = [
    filter.plant === null ? undefined : plant ?? t("alert.gone_plant"),
    filter.device === null ? undefined : device ?? t("alert.gone_device"),
    filter.kind === null ? undefined : t(`alert.kind.${filter.kind}`),
  ].filter(Boolean).join(", ");
  return (
    <Notice>
      <div className="alerts-filtered">
        <span>{t("alerts.only", { what })}</span>
        <Button onClick={() => setQuery({ plant: null, device: null, kind: null })}>{t("alerts.show_all")}</Button>
      </div>
    </Notice>
  );
}
