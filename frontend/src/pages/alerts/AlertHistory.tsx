import { useEffect, useRef, useState } from "react";
import { api } from "../../api/client";
import type { Alert, Page } from "../../api/types";
import { useResource } from "../../api/useResource";
import { Link } from "../../app/Link";
import { setQuery } from "../../app/router";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { useDevices, useLiveEvents, usePlants } from "../../live/hooks";
import { SeverityBadge } from "../../ui/Badges";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { Loaded } from "../../ui/Notice";
import { Card } from "../../ui/Page";
import { useAlertText } from "../../ui/alertText";
import { dayStart, kinds, type AlertFilter } from "./alertFilter";
import { alertPath, AlertSign } from "./AlertSign";

type Alerts = Page & { alerts: Alert[] };

const step = 20;
/** What the API gives at once. Who looks for more than that filters. */
const most = 500;

/** What is over. */
export function AlertHistory({ filter }: { filter: AlertFilter }): JSX.Element {
  const t = useT();
  const [limit, setLimit] = useState(step);
  const key = `${filter.plant} ${filter.device} ${filter.kind} ${filter.from}`;
  const history = useResource<Alerts>(`history ${key}`, (signal) => api("GET", "/alerts", {
    query: {
      state: "resolved", plant_id: filter.plant, device_id: filter.device, kind: filter.kind,
      from: filter.from === null ? null : dayStart(filter.from), limit,
    },
    signal,
  }));
  const { reload } = history;
  useEffect(() => setLimit(step), [key]);
  // More of the same: what is shown stays until it has come.
  const loaded = useRef(limit);
  useEffect(() => {
    if (loaded.current === limit) return;
    loaded.current = limit;
    reload();
  }, [limit, reload]);
  useLiveEvents((event) => {
    if (event.name === "alert" && /"state":\s*"resolved"/.test(event.data)) reload();
  });
  return (
    <Card title={t("alerts.history")} className="alert-history">
      <Filters filter={filter} />
      <Loaded resource={history}>
        {({ alerts, total }) => alerts.length === 0 ? <p className="soft">{t("alerts.no_history")}</p> : (
          <>
            <Days alerts={alerts} />
            <p className="alert-more">
              <span className="soft small" role="status">{t("alerts.shown_of", { shown: alerts.length, total })}</span>
              {alerts.length < total && alerts.length < most && (
                <Button busy={history.isLoading} onClick={() => setLimit(Math.min(most, limit + step))}>
                  {t("action.show_more")}
                </Button>
              )}
            </p>
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Filters({ filter }: { filter: AlertFilter }): JSX.Element {
  const t = useT();
  const plants = [...usePlants()].sort((a, b) => a.name.localeCompare(b.name));
  const devices = [...useDevices()].sort((a, b) => a.name.localeCompare(b.name));
  const all = { value: "", label: t("alerts.all") };
  // While a year is typed there is a day in it each moment, such as one in the year 20: it is let be until it is meant.
  const [from, setFrom] = useState(filter.from ?? "");
  useEffect(() => setFrom((old) => filter.from ?? (dayStart(old) === null ? old : "")), [filter.from]);
  return (
    <div className="alert-filters" role="search" aria-label={t("alerts.filter")}>
      <SelectField label={t("alerts.plant")} value={filter.plant ?? ""} onValue={(plant) => setQuery({ plant })}
        options={[all, ...plants.map((plant) => ({ value: plant.id, label: plant.name }))]} />
      <SelectField label={t("alerts.device")} value={filter.device ?? ""} onValue={(device) => setQuery({ device })}
        options={[all, ...devices.map((device) => ({ value: device.id, label: device.name }))]} />
      <SelectField<string> label={t("alerts.kind")} value={filter.kind ?? ""} onValue={(kind) => setQuery({ kind })}
        options={[all, ...kinds.map((kind) => ({ value: kind, label: t(`alert.kind.${kind}`) }))]} />
      <TextField label={t("alerts.from")} type="date" value={from} max={today()}
        onValue={(text) => {
          setFrom(text);
          setQuery({ from: dayStart(text) === null ? null : text });
        }} />
    </div>
  );
}

function today(): string {
  const now = new Date();
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** Under the day on which each began. */
function Days({ alerts }: { alerts: readonly Alert[] }): JSX.Element {
  const format = useFormat();
  const days: { day: string; alerts: Alert[] }[] = [];
  for (const alert of alerts) {
    const day = format.date(alert.started_at);
    const last = days[days.length - 1];
    if (last?.day === day) last.alerts.push(alert);
    else days.push({ day, alerts: [alert] });
  }
  return (
    <>
      {days.map(({ day, alerts: ofDay }) => (
        <section key={`${day} ${ofDay[0]?.id ?? ""}`} className="alert-day">
          <h3>{day}</h3>
          <ul>{ofDay.map((alert) => <Past key={alert.id} alert={alert} />)}</ul>
        </section>
      ))}
    </>
  );
}

function Past({ alert }: { alert: Alert }): JSX.Element {
  const t = useT();
  const text = useAlertText();
  const format = useFormat();
  return (
    <li>
      <AlertSign alert={alert} />
      <div>
        <Link to={alertPath(alert.id)}>{text.sentence(alert)}</Link>
        <p className="soft small">
          <time dateTime={alert.started_at} title={format.dateTime(alert.started_at)}>
            {t("alerts.for", { time: format.time(alert.started_at), duration: format.duration(alert.duration_seconds) })}
          </time>
          {" · "}{text.ending(alert)}
          {alert.acknowledged_by !== null && <>{" · "}{t("alerts.seen_by", { who: alert.acknowledged_by })}</>}
        </p>
      </div>
      <SeverityBadge severity={alert.severity} />
    </li>
  );
}
